// The data plane alone, in a process of its own: TUN → seal → UDP socket → loopback → open → TUN, with socket pairs in place of
// the TUNs (path-feed.mjs). Two data planes as in life, one for each end. Compiled code; one JSON line in says what to measure,
// one line out what was seen.
//
//   node path-rig.mjs '{ "threads": "single", "offloads": true }'
//   { "path": "culvert" | "node" | "bare", "cipher": "aes-gcm-16", "size": 1400, "milliseconds": 500 }
import { createInterface } from 'node:readline';
import { linuxSocketFactory } from '../../build/out/main/net/socket/linux.js';
import { startDataPlane } from '../../build/out/main/path/start.js';
import { parseAddress, parsePrefix } from '../../build/out/main/wire/address.js';
import { selectorOf } from '../../build/out/main/wire/selector.js';
import { Feed, openPair } from './path-feed.mjs';
import { nodePath } from './path-node.mjs';

const { threads, offloads } = JSON.parse(process.argv[2]);
const KEY_BYTES = { 'aes-gcm-16': 16, 'chacha20-poly1305': 32 };
const ENDS = [parseAddress('10.77.0.1'), parseAddress('10.77.0.2')];

function openSocket() {
  const socket = linuxSocketFactory({ gro: offloads }).open({
    kind: 'natt',
    family: 4,
    localAddress: parseAddress('127.0.0.1'),
    mark: 0,
  });
  if (socket instanceof Error) throw socket;
  return socket;
}

async function openEnd() {
  const tun = openPair();
  const socket = openSocket();
  const plane = await startDataPlane({ threads, onEvent: () => {} });
  await plane.receive({ kind: 'addSocket', socket });
  await plane.attachTun({ fd: tun.fd, vnetHeader: offloads });
  return { tun, socket, plane };
}

/** One way only: `near` seals, `far` opens. */
async function openPath(cipher) {
  const [near, far] = [await openEnd(), await openEnd()];
  const any = [selectorOf(parsePrefix('0.0.0.0/0'))];
  for (const [end, [local, remote]] of [
    [near, ENDS],
    [far, ENDS.toReversed()],
  ])
    await end.plane.configure(0, {
      shape: 'gre-tunnel',
      gre: { key: 7, checksum: false, sequence: false, nextSequence: 0 },
      delivery: { local, remote },
      mtu: 1400,
      mss4: 0,
      mss6: 0,
      local: any,
      remote: any,
      copyDscp: false,
      ttl: 64,
    });
  // The data plane wipes the key it is given: each end gets its own copy.
  const sa = () => ({
    spi: 0x1002,
    tunnel: 0,
    cipher,
    key: new Uint8Array(KEY_BYTES[cipher]).fill(2),
    salt: new Uint8Array(4).fill(2),
    esn: true,
    hardPackets: Number.POSITIVE_INFINITY,
    hardBytes: Number.POSITIVE_INFINITY,
  });
  await far.plane.receive({ kind: 'installInbound', slot: 0, params: { ...sa(), replayWindow: 1024 } });
  await near.plane.send({
    kind: 'setPeer',
    tunnel: 0,
    peer: { remote: far.socket.local, socket: near.socket.fd, encapsulation: 'udp' },
  });
  await near.plane.send({ kind: 'installOutbound', slot: 0, params: sa() });
  await near.plane.send({ kind: 'activate', tunnel: 0, slot: 0 });
  return {
    from: near.tun.host,
    to: far.tun.host,
    close: () => Promise.all([near.plane.close(), far.plane.close()]),
  };
}

function openNodePath(cipher) {
  const [tun, far] = [openPair(), openPair()];
  const between = nodePath({ tun: tun.fd, far: far.fd, socket: openSocket(), peer: openSocket(), cipher });
  return { from: tun.host, to: far.host, between, close: async () => {} };
}

function openBare() {
  const pair = openPair();
  return { from: pair.host, to: pair.fd, close: async () => {} };
}

const feed = new Feed();
const paths = new Map();
async function pathOf(name, cipher) {
  const key = name === 'bare' ? name : `${name} ${cipher}`;
  let path = paths.get(key);
  if (!path) {
    path = name === 'bare' ? openBare() : name === 'node' ? openNodePath(cipher) : await openPath(cipher);
    paths.set(key, path);
  }
  return path;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { path: name, cipher, size, milliseconds } = JSON.parse(line);
  const { from, to, between } = await pathOf(name, cipher);
  console.log(JSON.stringify(feed.run({ from, to, between, size, offloads, milliseconds })));
}
for (const { close } of paths.values()) await close();
