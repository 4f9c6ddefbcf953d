// npm run bench crypto: sealing and opening batches of 64 packets in WebAssembly, against node:crypto packet by packet
// (KeyObject keys, the garbage it makes included) and @noble/ciphers, all in the same run. Rounds of the contestants are
// interleaved, so that a machine that slows down slows all of them; the figures are medians.
//
//   culvert   the AEAD alone (assembly/crypto/aead.ts), in place
//   esp       the whole of what the packet core does (main/core): for `seal` an inner packet becomes GRE in ESP tunnel mode;
//             for `open` it does so and comes back again, so that column holds both ways and a copy
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { instantiateAead } from './aead.mjs';
import { espBatch } from './esp.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const quick = process.argv.includes('--quick');
const BATCH = 64;
const SIZES = [64, 576, 1400];
const ROUNDS = quick ? 15 : 61;
const ROUND_MS = quick ? 5 : 10;
const AAD_BYTES = 8;

const CIPHERS = [
  { name: 'aes-128-gcm', id: 1, keyLength: 16, noble: gcm },
  { name: 'aes-256-gcm', id: 1, keyLength: 32, noble: gcm },
  { name: 'chacha20-poly1305', id: 2, keyLength: 32, noble: chacha20poly1305 },
];

/** Runs `batch` (BATCH packets) for about `ms`; ns per packet. */
function measure(batch, ms) {
  let batches = 0;
  const start = process.hrtime.bigint();
  let elapsed = 0;
  do {
    batch();
    batches++;
    elapsed = Number(process.hrtime.bigint() - start);
  } while (elapsed < ms * 1e6);
  return elapsed / batches / BATCH;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** [name, function that handles one batch] of every contestant, for sealing or opening packets of `size` bytes. */
function contestants(cipher, size, direction) {
  const key = randomBytes(cipher.keyLength);
  const keyObject = createSecretKey(key);
  const packets = Array.from({ length: BATCH }, () => {
    const [plaintext, aad, nonce] = [randomBytes(size), randomBytes(AAD_BYTES), randomBytes(12)];
    const sealing = createCipheriv(cipher.name, keyObject, nonce, { authTagLength: 16 });
    sealing.setAAD(aad, { plaintextLength: size });
    const ciphertext = Buffer.concat([sealing.update(plaintext), sealing.final()]);
    return { plaintext, aad, nonce, ciphertext, tag: sealing.getAuthTag() };
  });
  const sealed = packets.map(({ ciphertext, tag }) => Buffer.concat([ciphertext, tag]));

  const aead = instantiateAead(cipher.id, key, packets);
  const node = {
    seal() {
      for (const { plaintext, aad, nonce } of packets) {
        const sealing = createCipheriv(cipher.name, keyObject, nonce, { authTagLength: 16 });
        sealing.setAAD(aad, { plaintextLength: size });
        sealing.update(plaintext);
        sealing.final();
        sealing.getAuthTag();
      }
    },
    open() {
      for (const { ciphertext, aad, nonce, tag } of packets) {
        const opening = createDecipheriv(cipher.name, keyObject, nonce, { authTagLength: 16 });
        opening.setAAD(aad, { plaintextLength: size });
        opening.setAuthTag(tag);
        opening.update(ciphertext);
        opening.final();
      }
    },
  };
  const noble = {
    seal() {
      for (const { plaintext, aad, nonce } of packets) cipher.noble(key, nonce, aad).encrypt(plaintext);
    },
    open() {
      packets.forEach(({ aad, nonce }, i) => {
        cipher.noble(key, nonce, aad).decrypt(sealed[i]);
      });
    },
  };
  const esp = espBatch(cipher.name, key, size, BATCH);
  return [
    ['culvert', aead[direction]],
    ['esp', direction === 'seal' ? esp.seal : esp.roundTrip],
    ['node', node[direction]],
    ['noble', noble[direction]],
  ];
}

const rows = [];
for (const cipher of CIPHERS) {
  for (const size of SIZES) {
    for (const direction of ['seal', 'open']) {
      const running = contestants(cipher, size, direction);
      const samples = Object.fromEntries(running.map(([name]) => [name, []]));
      for (const [, batch] of running) measure(batch, Math.max(40, 4 * ROUND_MS)); // warm: tier-up takes some milliseconds
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, batch] of running) samples[name].push(measure(batch, ROUND_MS));
      }
      const of = (figure) =>
        Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, figure(values)]));
      const ns = of(median);
      const best = of((values) => Math.min(...values));
      rows.push({
        cipher: cipher.name,
        direction,
        bytes: size,
        ns,
        best,
        gigabits: (8 * size) / ns.culvert,
        timesNode: ns.node / ns.culvert,
        timesNoble: ns.noble / ns.culvert,
        timesNodeBest: best.node / best.culvert,
      });
    }
  }
}

const load = loadavg()[0];
console.log(`Batches of ${BATCH}, medians of ${ROUNDS} interleaved rounds; ns per packet; "x node" is node / culvert`);
console.log(
  `Node ${process.version} (OpenSSL ${process.versions.openssl}), ${cpus()[0]?.model}, ${cpus().length} cores`,
);
if (load > cpus().length)
  console.log(`Load average ${load.toFixed(1)}: others are using this machine, so mistrust the figures`);
console.log(
  '\ncipher             what  bytes   culvert  Gbit/s       esp      node     noble   x node   x noble  x node, best rounds',
);
for (const { cipher, direction, bytes, ns, gigabits, timesNode, timesNoble, timesNodeBest } of rows) {
  console.log(
    [
      cipher.padEnd(18),
      direction,
      String(bytes).padStart(5),
      ns.culvert.toFixed(0).padStart(9),
      gigabits.toFixed(2).padStart(7),
      ns.esp.toFixed(0).padStart(9),
      ns.node.toFixed(0).padStart(9),
      ns.noble.toFixed(0).padStart(9),
      timesNode.toFixed(1).padStart(8),
      timesNoble.toFixed(1).padStart(9),
      timesNodeBest.toFixed(1).padStart(20),
    ].join(' '),
  );
}

const out = join(root, 'build', 'out', 'bench');
mkdirSync(out, { recursive: true });
writeFileSync(
  join(out, 'crypto.json'),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, load, batch: BATCH, rounds: ROUNDS, rows }, null, 2)}\n`,
);
