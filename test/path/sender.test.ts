// The sender alone, with the operating system faked: in which order packets leave its queues, and which do not.
import { expect, it } from 'vitest';
import { DESC_BYTES, IN_DESC, QUEUE_BYTES } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { EAGAIN } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { flowOf } from '../../main/path/flow.ts';
import { SEND_ANSWER } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Sender } from '../../main/path/sender.ts';
import { IO_QUEUE_DROPPED, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { randomness } from '../assembly/crypto/randomness.ts';
import { address, packet4, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;

/** Packet `number` of a TCP connection from `port`. */
function segment(port: number, number: number, length: number): Uint8Array {
  const packet = packet4('10.88.0.2', '10.88.0.1', length);
  const view = new DataView(packet.buffer);
  packet[9] = 6;
  view.setUint16(20, port);
  view.setUint16(22, 443);
  view.setUint32(40, number);
  return packet;
}

function rig() {
  /** What the TUN has. */
  const tunnelled: Uint8Array[] = [];
  /** What was sealed, in order. */
  const sealed: { port: number; number: number }[] = [];
  const link = { inFlight: 1, asked: 0 };
  const reads = { count: 0 };
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const calls: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 0,
    ioctlValue: () => {
      memory.words[SEND_ANSWER >>> 2] = link.inFlight;
      link.asked++;
      return 0;
    },
    read: (_fd, at) => {
      reads.count++;
      const packet = tunnelled.shift();
      if (!packet) return -1;
      memory.bytes.set(packet, at - memory.base);
      return packet.length;
    },
    sendmmsg: (_fd, _headers, count) => count,
  };
  const seal = core.seal.bind(core);
  core.seal = (count, now) => {
    const inputs = Array.from({ length: count }, (_, i) => {
      const at = memory.words[(IN_DESC + i * DESC_BYTES) >>> 2]!;
      const view = new DataView(memory.bytes.buffer, at);
      return { port: view.getUint16(20), number: view.getUint32(40) };
    });
    const result = seal(count, now);
    sealed.push(...inputs.slice(0, result.consumed));
    return result;
  };
  const emit = () => {};
  const numbers = shared();
  const tun = new TunPort(calls, memory, numbers);
  const sender = new Sender({
    core,
    calls,
    memory,
    tun,
    shared: numbers,
    errors: new PathErrors(calls, memory, emit),
    emit,
  });
  sender.command({ kind: 'attachTun', tun: { fd: FD, vnetHeader: false } }, 0);
  sender.command({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', true) }, 0);
  const peer = { remote: { address: address('127.0.0.1'), port: 4500 }, socket: FD, encapsulation: 'udp' } as const;
  sender.command({ kind: 'setPeer', tunnel: 0, peer }, 0);
  sender.command({ kind: 'installOutbound', slot: 0, params: saParams(SPI.responder, 'chacha20-poly1305') }, 0);
  sender.command({ kind: 'activate', tunnel: 0, slot: 0 }, 0);
  return { sender, tunnelled, sealed, link, reads, numbers: numbers.numbers };
}

it.each([1, 2, 3, 4])('keeps the order of many new flows on a link with a small window, seed %i', (seed) => {
  const { below } = randomness(`sender ${seed}`);
  const { sender, tunnelled, sealed, link } = rig();
  // The link takes nothing for a while: the window becomes as small as it can be.
  link.inFlight = 10_000_000;
  tunnelled.push(segment(1, 0, 100));
  for (let now = 1; now < 100; now += 5) sender.turn(now);
  expect(sender.holding).toBe(true);
  link.inFlight = 1;
  sender.turn(100);

  const next = new Map<number, number>([[1, 1]]);
  for (let round = 0; round < 40; round++) {
    // New flows, each with a packet or two soon after the first; later ones overtake no others.
    const base = 1000 + 50 * round;
    for (let i = 0; i < 40; i++) {
      const port = base + below(50);
      const number = next.get(port) ?? 0;
      next.set(port, number + 1);
      tunnelled.push(segment(port, number, [60, 400, 1400][below(3)]!));
    }
    for (let turns = below(8); turns > 0; turns--) sender.turn(100);
  }
  while (sender.turn(100));
  const seen = new Map<number, number[]>();
  for (const { port, number } of sealed) seen.set(port, [...(seen.get(port) ?? []), number]);
  expect(seen.size).toBe(next.size);
  for (const [port, count] of next) expect(seen.get(port), `flow ${port}`).toEqual([...Array(count).keys()]);
});

it('does not make fresh flows pay for a bulk flow that fills the queue', () => {
  const { sender, tunnelled, sealed, numbers } = rig();
  const BULK = 7;
  const flow = (port: number) => flowOf(segment(port, 0, 1400), 0, 1400);
  // One port of each flow number.
  const ports = [...new Map(Array.from({ length: 4000 }, (_, i) => [flow(1000 + i), 1000 + i])).values()].filter(
    (port) => flow(port) !== flow(BULK),
  );
  let fresh = 0;
  let bulk = 0;
  const offer = (count: number) => {
    for (let i = 0; i < count; i++) tunnelled.push(segment(ports[fresh % ports.length]!, fresh++, 1400));
  };
  const fill = () => {
    while (tunnelled.length < 200) tunnelled.push(segment(BULK, bulk++, 1400));
  };
  for (let i = 0; i < QUEUE_BYTES / 1400; i++) tunnelled.push(segment(BULK, bulk++, 1400));
  // What a turn takes of them at most is 24, so that some always wait, for a turn or two: a millisecond each.
  for (let now = 1; now < 400; now++) {
    const waiting = tunnelled.splice(0);
    offer(now === 100 ? 40 : now > 30 ? 24 : 0);
    tunnelled.push(...waiting);
    fill();
    sender.turn(now);
  }
  tunnelled.length = 0;
  while (sender.turn(400));
  const taken = new Set(sealed.filter(({ port }) => port !== BULK).map(({ number }) => number));
  const lost = Array.from({ length: fresh }, (_, i) => i).filter((number) => !taken.has(number));
  expect(numbers[IO_QUEUE_DROPPED], 'of the bulk flow').toBeGreaterThan(0);
  expect(fresh).toBeGreaterThan(8000);
  expect(lost).toEqual([]);
});

it('gives small packets no more than half of a turn while bulk waits', () => {
  const { sender, tunnelled, sealed, link } = rig();
  const BULK = 7;
  link.inFlight = 10_000_000;
  // A bulk flow's backlog, then a hundred flows with one tiny packet each, while the link takes nothing.
  for (let number = 0; number < 100; number++) tunnelled.push(segment(BULK, number, 1400));
  for (let port = 1000; port < 1100; port++) tunnelled.push(segment(port, 0, 60));
  while (tunnelled.length > 0) sender.turn(1);
  link.inFlight = 1;
  let bulkLeft = 100 - sealed.filter(({ port }) => port === BULK).length;
  expect(bulkLeft).toBeGreaterThan(40);
  while (bulkLeft > 0) {
    sealed.length = 0;
    sender.turn(1);
    const bulk = sealed.filter(({ port }) => port === BULK).length;
    expect(bulk).toBeGreaterThan(Math.min(bulkLeft, 20) - 1);
    expect(sealed.length - bulk).toBeLessThanOrEqual(bulk < bulkLeft ? 32 : 64);
    bulkLeft -= bulk;
  }
});

it('sends a small packet that comes after a silence before it asks the TUN for more', () => {
  const { sender, tunnelled, sealed, reads } = rig();
  tunnelled.push(segment(1, 0, 100), segment(2, 0, 100), segment(3, 0, 100));
  // What poll() found is there, and it will say whether there is more.
  expect(sender.turn(5)).toBe(false);
  expect(sealed.map(({ port }) => port)).toEqual([1]);
  expect(reads.count).toBe(1);
  // There was: no silence any more, so the rest is a batch.
  expect(sender.turn(5)).toBe(false);
  expect(sealed.map(({ port }) => port)).toEqual([1, 2, 3]);
  // A large packet is a transfer's: more will follow.
  tunnelled.push(segment(4, 0, 1400), segment(4, 1, 1400));
  sender.turn(50);
  expect(sealed).toHaveLength(5);
});

it('asks the kernel how much is in flight only where it may be too much', () => {
  const { sender, tunnelled, link } = rig();
  link.inFlight = 1000;
  let now = 0;
  const offer = (bytes: number) => {
    for (let left = bytes; left > 0; left -= 1400) tunnelled.push(segment(9, 0, 1400));
    while (tunnelled.length > 0 || sender.busy) sender.turn(now);
    now += 10;
  };
  offer(1400);
  expect(link.asked, 'nothing is known yet').toBe(1);
  for (let i = 0; i < 20; i++) offer(1400);
  expect(link.asked).toBe(1);
  offer(400_000);
  expect(link.asked, 'a window of 256 KiB is full, for all that is known').toBeGreaterThan(1);
});

it('asks again where another tunnel has sent through the same socket', () => {
  const { sender, tunnelled, link } = rig();
  const any = tunnelParams('esp-tunnel', true);
  const [other] = tunnelParams('esp-tunnel', false, { remote: [] }).local;
  const remote = { address: address('127.0.0.1'), port: 4501 };
  // What goes back to ourselves is the second tunnel's.
  sender.command({ kind: 'configure', tunnel: 1, params: { ...any, remote: any.local, local: [other!] } }, 0);
  sender.command({ kind: 'setPeer', tunnel: 1, peer: { remote, socket: FD, encapsulation: 'udp' } }, 0);
  const params = { ...saParams(SPI.initiator, 'chacha20-poly1305'), tunnel: 1 };
  sender.command({ kind: 'installOutbound', slot: 1, params }, 0);
  sender.command({ kind: 'activate', tunnel: 1, slot: 1 }, 0);
  const first = segment(9, 0, 1400);
  const second = segment(9, 0, 1400);
  second.set([...first.subarray(16, 20), ...first.subarray(12, 16)], 12);
  const asked = (packet: Uint8Array): number => {
    const before = link.asked;
    tunnelled.push(packet);
    sender.turn(0);
    return link.asked - before;
  };
  expect([first, first, second, second, first, first].map(asked)).toEqual([1, 0, 1, 0, 1, 0]);
});
