// What the receiver writes to a TUN with virtio headers, with the operating system faked: pieces gathered into super-packets, and
// what happens where the kernel refuses one.
import { expect, it } from 'vitest';
import { DESC_BYTES, IN, IN_DESC, OUT_DESC, PACKET_SLOT_BYTES } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
  EAGAIN,
  EINVAL,
  EIO,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_LEN,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { RECEIVE_HEADERS, RECEIVE_IOVECS } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Receiver } from '../../main/path/receiver.ts';
import { IO_RECEIVED, IO_TUN_DROPPED, IO_TUN_WRITTEN, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { cut } from '../reference/gso.ts';
import { ip4, tcp, udp } from '../reference/ip.ts';
import { address, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;
const [SOURCE, TARGET] = [address('10.88.0.2'), address('10.88.0.1')];

const datagram = (number: number) =>
  ip4(
    { source: SOURCE, target: TARGET, protocol: 17, df: true, id: number },
    udp(SOURCE, TARGET, 5000, 443, new Uint8Array(300).fill(number)),
  );
const segment = (number: number, n = 500) => {
  const fields = { source: SOURCE, target: TARGET, sourcePort: 5000, targetPort: 443, flags: 0x10 };
  const data = new Uint8Array(n).fill(number);
  return ip4(
    { source: SOURCE, target: TARGET, protocol: 6, df: true, id: number },
    tcp({ ...fields, sequence: number * n, options: new Uint8Array() }, data),
  );
};
const count = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);

function rig() {
  const module = loadCoreModuleSync();
  const sender = createCoreSync(module);
  sender.configureTunnel(0, tunnelParams('esp-tunnel', true));
  sender.installOutbound(0, saParams(SPI.responder, 'chacha20-poly1305'));
  sender.activateOutbound(0, 0);

  const core = createCoreSync(module);
  const memory = new NativeMemory(core);
  const { words, bytes } = memory;
  const waiting: Uint8Array[] = [];
  /** What comes while a batch is opened, behind what waits: by the number of reads that found nothing more. */
  const later: Uint8Array[] = [];
  let reads = 0;
  const written: Uint8Array[] = [];
  const notes: string[] = [];
  /** errno for super-packets of a type. */
  const refuses = new Map<number, number>();
  let errno = EAGAIN;
  const take = (packet: Uint8Array): number => {
    errno = refuses.get(packet[1]!) ?? 0;
    if (errno !== 0) return -1;
    written.push(packet);
    return packet.length;
  };
  const at = (address: number) => (address - (memory.base >>> 0)) >>> 0;
  const system: Libc = {
    ...libc(),
    errno: () => errno,
    getsockopt: () => 1,
    recvmmsg: (_fd, headers, most) => {
      reads++;
      const taken = waiting.splice(0, most);
      if (taken.length < most) waiting.push(...later.splice(0));
      const first = (headers - memory.base - RECEIVE_HEADERS) / MMSGHDR_BYTES;
      taken.forEach((packet, i) => {
        bytes.set(packet, at(words[(RECEIVE_IOVECS + (first + i) * IOVEC_BYTES) >>> 2]!));
        const header = (RECEIVE_HEADERS + (first + i) * MMSGHDR_BYTES) >>> 2;
        words[header + MSG_LEN / 4] = packet.length;
        words[header + MSG_CONTROLLEN / 4] = 0;
      });
      errno = EAGAIN;
      return taken.length || -1;
    },
    write: (_fd, from, length) => take(bytes.slice(from - memory.base, from - memory.base + length)),
    writev: (_fd, iovecs, entries) => {
      const parts = count(entries).map((i) => {
        const iovec = (iovecs - memory.base + i * IOVEC_BYTES) >>> 2;
        const start = at(words[iovec]!);
        return bytes.subarray(start, start + words[iovec + 2]!);
      });
      return take(Uint8Array.from(Buffer.concat(parts)));
    },
  };
  const numbers = shared();
  const emit: ConstructorParameters<typeof PathErrors>[2] = (event) => {
    if (event.kind === 'note') notes.push(event.text);
  };
  const tun = new TunPort(system, memory, numbers);
  const errors = new PathErrors(system, memory, emit);
  const receiver = new Receiver({ core, calls: system, memory, tun, shared: numbers, errors, emit });
  receiver.command({ kind: 'attachTun', tun: { fd: FD, vnetHeader: true, uso: true } }, 0);
  receiver.command({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', false) }, 0);
  const sa = { ...saParams(SPI.responder, 'chacha20-poly1305'), replayWindow: 1024 };
  receiver.command({ kind: 'installInbound', slot: 0, params: sa }, 0);
  receiver.command({ kind: 'addSocket', socket: { fd: FD, kind: 'natt' } }, 0);
  const socket = receiver.sockets.get(FD)!;
  return {
    written,
    notes,
    refuses,
    counters: () => core.counters(),
    numbers: numbers.numbers,
    reads: () => reads,
    /** One turn that finds these packets, sealed; the last `behind` of them only when it asks again. */
    deliver: (packets: readonly Uint8Array[], behind = 0) => {
      for (let first = 0; first < packets.length; first += 60) {
        const some = packets.slice(first, first + 60);
        some.forEach((packet, i) => {
          sender.bytes.set(packet, IN + i * PACKET_SLOT_BYTES);
          sender.words.set([IN + i * PACKET_SLOT_BYTES, 0, packet.length, 0], (IN_DESC + i * DESC_BYTES) >> 2);
        });
        const { out } = sender.seal(some.length, 0);
        for (const i of count(out)) {
          const [offset = 0, , length = 0] = sender.words.subarray((OUT_DESC + i * DESC_BYTES) >> 2);
          waiting.push(sender.bytes.slice(offset, offset + length));
        }
      }
      later.push(...waiting.splice(waiting.length - behind));
      written.length = 0;
      reads = 0;
      receiver.turn(socket, 1);
    },
  };
}

it('gathers the pieces of two flows into two writes', () => {
  const { deliver, written, numbers } = rig();
  deliver(count(20).flatMap((i) => [segment(i), datagram(i)]));
  expect(written.flatMap(cut)).toEqual([...count(20).map((number) => segment(number)), ...count(20).map(datagram)]);
  expect(written).toHaveLength(2);
  expect(numbers[IO_TUN_WRITTEN]).toBe(2);
  deliver([segment(20), segment(20)]);
  expect(written.flatMap(cut)).toEqual([segment(20), segment(20)]);
});

it('lets a super-packet grow by what has come while its beginning was opened', () => {
  const { deliver, written, reads, numbers } = rig();
  // Two rounds of 64 and 36; and a round that found the socket empty in the midst of a burst.
  for (const [n, behind, from] of [
    [100, 0, 0],
    [40, 30, 100],
  ] as const) {
    const packets = count(n, from).map((number) => segment(number));
    deliver(packets, behind);
    expect(written).toHaveLength(1);
    expect(written.flatMap(cut)).toEqual(packets);
  }
  expect(numbers[IO_RECEIVED]).toBe(140);
  // Of few packets nothing is kept back, so nothing is asked for again.
  deliver(
    count(7, 140).map((number) => segment(number)),
    3,
  );
  expect(written.flatMap(cut)).toEqual(count(4, 140).map((number) => segment(number)));
  expect(reads()).toBe(1);
});

it('ends a turn after so many datagrams, so that others have theirs', () => {
  const { deliver, written, numbers } = rig();
  // 54 to a super-packet, so at the end of each round something grows.
  const packets = count(400).map((number) => segment(number, 1200));
  deliver(packets);
  expect(numbers[IO_RECEIVED]).toBe(256);
  expect(written.flatMap(cut)).toEqual(packets.slice(0, 256));
  deliver([]);
  expect(numbers[IO_RECEIVED]).toBe(400);
  expect(written.flatMap(cut)).toEqual(packets.slice(256));
});

it('gives up UDP super-datagrams where the kernel refuses one, says so once, and goes on', () => {
  const { deliver, written, refuses, notes, numbers, counters } = rig();
  refuses.set(5, EINVAL);
  deliver(count(8).flatMap((i) => [segment(i), datagram(i)]));
  expect(written.flatMap(cut)).toEqual(count(8).map((number) => segment(number)));
  expect(notes).toHaveLength(1);
  deliver(count(8).flatMap((i) => [segment(i + 8), datagram(i)]));
  expect(written).toHaveLength(9);
  expect(written.filter((packet) => packet[10 + 9] === 17).flatMap(cut)).toEqual(count(8).map(datagram));
  expect(notes).toHaveLength(1);
  // What was opened went into the TUN, within another packet, or is counted as refused.
  const { inPackets, inMerged } = counters();
  expect(inPackets).toBe(inMerged + numbers[IO_TUN_WRITTEN]! + numbers[IO_TUN_DROPPED]!);
});

it('keeps them where an interface is merely down', () => {
  const { deliver, written, refuses, notes } = rig();
  refuses.set(5, EIO).set(1, EINVAL);
  deliver(count(4).flatMap((i) => [segment(i), datagram(i)]));
  expect(written).toEqual([]);
  expect(notes).toEqual([]);
  refuses.clear();
  deliver(count(4).map(datagram));
  expect(written).toHaveLength(1);
});
