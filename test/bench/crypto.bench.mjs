// npm run bench crypto: sealing and opening in WebAssembly, in batches of 64 packets and one by one, against what else a Node
// program could use, all in the same run (peers.mjs). Rounds of the contestants are interleaved, so that a machine that slows
// down slows all of them; the figures are medians. The young generation is collected at the end of every round, within its
// time, so everybody pays for their own garbage and nobody for another's (20 to 50 µs for who makes none). `(cpu)` is the ratio of
// time on processors, helper threads included: the one to trust while others use the machine.
//
//   culvert   the AEAD alone (assembly/crypto/aead.ts), in place, as it runs by default: the build and the way of AES chosen
//             as at start-up (main/core/load.ts, main/core/accelerator.ts)
//   wasm      the same without the accelerator; `plain` also without relaxed SIMD
//   esp       the whole of what the packet core does (main/core): for `seal` an inner packet becomes GRE in ESP tunnel mode;
//             for `open` it does so and comes back again, so that column holds both ways and a copy
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hasRelaxedSimd, instantiateAead } from './aead.mjs';
import { espBatch } from './esp.mjs';
import { makePackets, peers } from './peers.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const quick = process.argv.includes('--quick');
const BATCHES = [64, 1];
const SIZES = [64, 576, 1400];
const ROUNDS = quick ? 5 : 15;
const ROUND_MS = quick ? 20 : 40;
const relaxed = hasRelaxedSimd();

const CIPHERS = [
  { name: 'aes-128-gcm', id: 1, keyLength: 16 },
  { name: 'aes-256-gcm', id: 1, keyLength: 32 },
  { name: 'chacha20-poly1305', id: 2, keyLength: 32 },
];

// DESIGN: times node:crypto at 64, 576 and 1400 bytes, sealing in batches.
const REACH = { 'aes-128-gcm': [12, 4, 1.6], 'chacha20-poly1305': [30, 8, 4.5] };

/** Runs `run` (`packets` packets) for about `ms`; ns per packet, of time and of all the process's threads on processors. */
function measure(run, packets, ms) {
  // A clock read costs as much as a short packet: look only now and then.
  const between = packets === 1 ? 32 : 1;
  let runs = 0;
  const used = process.cpuUsage();
  const start = process.hrtime.bigint();
  let elapsed = 0;
  do {
    for (let i = 0; i < between; i++) run();
    runs += between;
    elapsed = Number(process.hrtime.bigint() - start);
  } while (elapsed < ms * 1e6);
  collect({ type: 'minor' });
  const ns = Number(process.hrtime.bigint() - start) / runs / packets;
  const { user, system } = process.cpuUsage(used);
  return { ns, cpu: (1000 * (user + system)) / runs / packets };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** [name, function that handles one batch] of every contestant, for sealing or opening packets of `size` bytes. */
function contestants(cipher, size, direction, batch) {
  const key = randomBytes(cipher.keyLength);
  const packets = makePackets(cipher.name, key, size, batch);
  const own = (options) => instantiateAead(cipher.id, key, packets, options)[direction];
  const aes = cipher.name !== 'chacha20-poly1305';
  const esp = batch === 1 ? undefined : espBatch(cipher.name, key, size, batch);
  return [
    ['culvert', own({ relaxed, accelerator: 'auto' })],
    // ChaCha20 has no use for either.
    ...(aes ? [['wasm', own({ relaxed, accelerator: 'off' })]] : []),
    ...(aes ? [['plain', own({ relaxed: false, accelerator: 'off' })]] : []),
    ...(esp ? [['esp', direction === 'seal' ? esp.seal : esp.roundTrip]] : []),
    ...peers(cipher.name, key, packets).map(([name, peer]) => [name, peer[direction]]),
  ];
}

const rows = [];
for (const cipher of CIPHERS) {
  for (const batch of BATCHES) {
    for (const size of SIZES) {
      for (const direction of ['seal', 'open']) {
        const running = contestants(cipher, size, direction, batch);
        const samples = Object.fromEntries(running.map(([name]) => [name, []]));
        for (const [, run] of running) measure(run, batch, 40); // warm: tier-up takes some milliseconds
        for (let round = 0; round < ROUNDS; round++) {
          for (const [name, run] of running) {
            samples[name].push(measure(run, batch, ROUND_MS));
          }
        }
        const of = (figure) =>
          Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, figure(values)]));
        const ns = of((values) => median(values.map((value) => value.ns)));
        const cpu = of((values) => median(values.map((value) => value.cpu)));
        const times = Object.fromEntries(
          Object.entries(ns).flatMap(([name, value]) => (name === 'culvert' ? [] : [[name, value / ns.culvert]])),
        );
        const reach = direction === 'seal' && batch === 64 ? REACH[cipher.name]?.[SIZES.indexOf(size)] : undefined;
        rows.push({
          cipher: cipher.name,
          batch,
          direction,
          bytes: size,
          ns,
          cpu,
          gigabits: (8 * size) / ns.culvert,
          times,
          timesNodeCpu: cpu.node / cpu.culvert,
          ...(reach === undefined ? {} : { reach, reached: times.node >= reach }),
        });
      }
    }
  }
}

const load = loadavg()[0];
console.log(`Medians of ${ROUNDS} interleaved rounds of ${ROUND_MS} ms, garbage included; ns per packet`);
console.log(
  `Node ${process.version} (OpenSSL ${process.versions.openssl}), ${cpus()[0]?.model}, ${cpus().length} cores; ` +
    `relaxed SIMD: ${relaxed ? 'yes' : 'no'}`,
);
if (load > cpus().length)
  console.log(`Load average ${load.toFixed(1)}: others are using this machine, so trust the ratios of processor time`);

const COLUMNS = ['culvert', 'wasm', 'plain', 'esp', 'node', 'noble', 'chainsafe', 'libsodium', 'sodium-native'];
const head = ['cipher'.padEnd(17), 'batch', 'what', 'bytes', ...COLUMNS.map((name) => name.padStart(9)), ' Gbit/s'];
console.log(`\n${head.join(' ')}   x node   (cpu)  reach`);
for (const { cipher, batch, direction, bytes, ns, gigabits, times, timesNodeCpu, reach, reached } of rows) {
  console.log(
    [
      cipher.padEnd(17),
      String(batch).padStart(5),
      direction,
      String(bytes).padStart(5),
      ...COLUMNS.map((name) => (ns[name]?.toFixed(0) ?? '–').padStart(Math.max(9, name.length))),
      gigabits.toFixed(2).padStart(7),
      times.node.toFixed(1).padStart(8),
      timesNodeCpu.toFixed(1).padStart(7),
      reach === undefined ? '' : `${String(reach).padStart(6)} ${reached ? 'yes' : 'NO'}`,
    ].join(' '),
  );
}

const out = join(root, 'build', 'out', 'bench');
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, 'crypto.json'),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, load, relaxed, rounds: ROUNDS, rows }, null, 2)}\n`,
);
