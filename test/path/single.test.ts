// Both directions on one thread share a core, and its tables: what waits for the link must not be touched by what arrives meanwhile.
// The operating system is faked: it takes as much of each call as the test says.
import { expect, it } from 'vitest';
import { DESC_BYTES, IN, IN_DESC, OUT_DESC, PACKET_SLOT_BYTES } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
  EAGAIN,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_IOV,
  MSG_IOVLEN,
  MSG_LEN,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import type { Peer } from '../../main/path/command.ts';
import { RECEIVE_HEADERS, RECEIVE_IOVECS, SEND_ANSWER } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Receiver } from '../../main/path/receiver.ts';
import { Sender } from '../../main/path/sender.ts';
import { shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { checksum, concat, ip4, pseudo, udp } from '../reference/ip.ts';
import { address, packet4, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;
const [OURS, THEIRS] = [address('10.88.0.2'), address('10.88.0.1')];
const CIPHER = 'chacha20-poly1305';
const HEADER = 10;

/** One end with both directions on one core, and the other end's core. */
function rig() {
  const module = loadCoreModuleSync();
  const far = createCoreSync(module, { accelerator: 'off' });
  far.configureTunnel(0, tunnelParams('esp-tunnel', false));
  far.installOutbound(0, saParams(SPI.initiator, CIPHER));
  far.activateOutbound(0, 0);
  far.installInbound(0, { ...saParams(SPI.responder, CIPHER), replayWindow: 1024 });

  const core = createCoreSync(module, { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const { words, bytes } = memory;
  const offered: Uint8Array[] = [];
  const arriving: Uint8Array[] = [];
  /** What each message, or the stream, took. */
  const datagrams: Uint8Array[] = [];
  const stream: Uint8Array[] = [];
  const link = { takes: Number.POSITIVE_INFINITY, inFlight: 0 };
  let errno = EAGAIN;
  const pointer = (at: number): number => words[at >>> 2]! + words[(at >>> 2) + 1]! * 0x1_0000_0000 - memory.base;
  const gathered = (header: number): Uint8Array => {
    const [first, entries] = [pointer(header + MSG_IOV), words[(header + MSG_IOVLEN) >>> 2]!];
    const pieces = Array.from({ length: entries }, (_, i) => {
      const iovec = first + i * IOVEC_BYTES;
      return bytes.slice(pointer(iovec), pointer(iovec) + words[(iovec + 8) >>> 2]!);
    });
    return concat(...pieces);
  };
  const calls: Libc = {
    ...libc(),
    errno: () => errno,
    getsockopt: () => -1,
    ioctlValue: () => {
      words[SEND_ANSWER >>> 2] = link.inFlight;
      return 0;
    },
    read: (_fd, at) => {
      errno = EAGAIN;
      const packet = offered.shift();
      if (!packet) return -1;
      bytes.set(packet, at - memory.base);
      return packet.length;
    },
    write: (_fd, _at, length) => length,
    writev: () => 1,
    sendmmsg: (_fd, headers, count) => {
      errno = EAGAIN;
      const taken = Math.min(count, link.takes);
      for (let i = 0; i < taken; i++) datagrams.push(gathered(headers - memory.base + i * MMSGHDR_BYTES));
      link.takes -= taken;
      return taken || -1;
    },
    sendmsg: (_fd, header) => {
      errno = EAGAIN;
      const part = gathered(header - memory.base).subarray(0, link.takes);
      link.takes -= part.length;
      stream.push(part);
      return part.length || -1;
    },
    recvmmsg: (_fd, headers, most) => {
      errno = EAGAIN;
      const taken = arriving.splice(0, most);
      const first = (headers - memory.base - RECEIVE_HEADERS) / MMSGHDR_BYTES;
      taken.forEach((packet, i) => {
        bytes.set(packet, pointer(RECEIVE_IOVECS + (first + i) * IOVEC_BYTES));
        const header = RECEIVE_HEADERS + (first + i) * MMSGHDR_BYTES;
        words[(header + MSG_LEN) >>> 2] = packet.length;
        words[(header + MSG_CONTROLLEN) >>> 2] = 0;
      });
      return taken.length || -1;
    },
  };
  const emit = () => {};
  const numbers = shared();
  const tun = new TunPort(calls, memory, numbers);
  const parts = { core, calls, memory, tun, shared: numbers, errors: new PathErrors(calls, memory, emit), emit };
  const [sender, receiver] = [new Sender(parts), new Receiver(parts)];
  const attach = { kind: 'attachTun', tun: { fd: FD, vnetHeader: true, uso: true } } as const;
  sender.command(attach, 0);
  receiver.command(attach, 0);
  sender.command({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', true) }, 0);
  sender.command({ kind: 'installOutbound', slot: 0, params: saParams(SPI.responder, CIPHER) }, 0);
  sender.command({ kind: 'activate', tunnel: 0, slot: 0 }, 0);
  const inbound = { ...saParams(SPI.initiator, CIPHER), replayWindow: 1024 };
  receiver.command({ kind: 'installInbound', slot: 0, params: inbound }, 0);
  receiver.command({ kind: 'addSocket', socket: { fd: FD, kind: 'natt' } }, 0);

  const onto = (of: typeof far, packets: readonly Uint8Array[]): void =>
    packets.forEach((packet, i) => {
      of.bytes.set(packet, IN + i * PACKET_SLOT_BYTES);
      of.words.set([IN + i * PACKET_SLOT_BYTES, 0, packet.length, 0], (IN_DESC + i * DESC_BYTES) >> 2);
    });
  const outputs = (of: typeof far, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => {
      const [offset = 0, , length = 0] = of.words.subarray((OUT_DESC + i * DESC_BYTES) >> 2);
      return of.bytes.slice(offset, offset + length);
    });
  return {
    sender,
    core,
    link,
    datagrams,
    offer: (packets: readonly Uint8Array[]) => void offered.push(...packets),
    peer: (encapsulation: Peer['encapsulation'], port = 4500) => {
      const remote = { address: address('127.0.0.1'), port };
      sender.command({ kind: 'setPeer', tunnel: 0, peer: { remote, socket: FD, encapsulation } }, 0);
    },
    /** A turn of the receiver that finds 64 packets. */
    receive: () => {
      onto(
        far,
        Array.from({ length: 64 }, (_, i) => packet4('10.88.0.1', '10.88.0.2', 200, i)),
      );
      arriving.push(...outputs(far, far.seal(64, 0).out));
      receiver.turn(receiver.sockets.get(FD)!, 1);
    },
    /** What the other end makes of what was sent. */
    opened: (sent: readonly Uint8Array[]): Uint8Array[] =>
      sent.flatMap((datagram) => {
        onto(far, [datagram]);
        return outputs(far, far.open(1, 0).out);
      }),
    /** The messages of the stream, without their lengths. */
    messages: (): Uint8Array[] => {
      const whole = concat(...stream);
      const found: Uint8Array[] = [];
      for (let at = 0; at < whole.length; ) {
        const length = whole[at]! * 256 + whole[at + 1]!;
        expect(length, 'a length').toBeGreaterThan(2);
        expect(at + length, 'a message that is cut').toBeLessThanOrEqual(whole.length);
        found.push(whole.slice(at + 2, at + length));
        at += length;
      }
      return found;
    },
  };
}

const framed = (packet: Uint8Array): Uint8Array => concat(new Uint8Array(HEADER), packet);
const count = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Enough to tell one from another, and short where they differ. */
const mark = (packet: Uint8Array): string =>
  `${packet.length} bytes, ${Buffer.from(packet.subarray(0, 30)).toString('hex')}`;
const OUTGOING = count(40).map((i) => packet4('10.88.0.2', '10.88.0.1', 1000, i));

it('keeps what waits for a full stream apart from what arrives', () => {
  const { sender, link, offer, peer, receive, messages, opened } = rig();
  peer('tcp');
  link.takes = 3500;
  offer(OUTGOING.map(framed));
  for (let turn = 0; turn < 3; turn++) sender.turn(1);
  expect(sender.blockedOn).toBe(FD);
  receive();
  link.takes = 9000;
  sender.turn(2);
  receive();
  link.takes = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 9; turn++) sender.turn(3);
  expect(opened(messages()).map(mark)).toEqual(OUTGOING.map(mark));
});

it('keeps what waits for a new address apart from what arrives', () => {
  const { sender, link, datagrams, offer, peer, receive, opened } = rig();
  peer('udp');
  link.takes = 7;
  offer(OUTGOING.map(framed));
  sender.turn(1);
  expect(sender.blockedOn).toBe(FD);
  receive();
  peer('udp', 4501);
  link.takes = Number.POSITIVE_INFINITY;
  sender.turn(2);
  for (let turn = 0; turn < 9; turn++) sender.turn(3);
  expect(opened(datagrams).map(mark)).toEqual(OUTGOING.map(mark));
});

it('keeps what found no room yet apart from what arrives', () => {
  const { sender, core, link, datagrams, offer, peer, receive, opened } = rig();
  peer('udp');
  // Two of them make more datagrams than the table has entries, in fewer bytes than a turn takes.
  const superDatagram = (port: number): Uint8Array => {
    const upper = udp(OURS, THEIRS, port, 443, new Uint8Array(300 * 100).fill(port));
    new DataView(upper.buffer).setUint16(6, ~checksum(pseudo(OURS, THEIRS, 17, upper.length)) & 0xffff);
    const vnet = new DataView(new ArrayBuffer(HEADER));
    vnet.setUint8(0, 1);
    vnet.setUint8(1, 5);
    for (const [at, value] of [28, 100, 20, 6].entries()) vnet.setUint16(2 + 2 * at, value, true);
    return concat(
      new Uint8Array(vnet.buffer),
      ip4({ source: OURS, target: THEIRS, protocol: 17, df: true, id: 0 }, upper),
    );
  };
  offer([superDatagram(5001), superDatagram(5002)]);
  link.takes = 200;
  sender.turn(1);
  expect(datagrams).toHaveLength(200);
  receive();
  link.takes = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 9; turn++) sender.turn(2);
  const ports = opened(datagrams).map((packet) => packet[20]! * 256 + packet[21]!);
  expect(ports).toEqual([...Array(300).fill(5001), ...Array(300).fill(5002)]);
  expect(core.counters().outBadInner).toBe(0);
});
