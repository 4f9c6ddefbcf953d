// A million packets through sender and receiver, with the operating system faked: the heap must not grow by the packet.
// Counted in bytes per packet, not in time: a JavaScript object or a boxed number for each would be 16 bytes or more.
import { expect, it } from 'vitest';
import { DESC_BYTES, DESC_LENGTH, IN, IN_DESC, OUT_DESC } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { EAGAIN, IOVEC_BYTES, MMSGHDR_BYTES, MSG_CONTROLLEN, MSG_LEN } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { RECEIVE_IOVECS } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import type { PathParts } from '../../main/path/parts.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Receiver } from '../../main/path/receiver.ts';
import { Sender } from '../../main/path/sender.ts';
import { IO_RECEIVED, IO_SENT, IO_TUN_WRITTEN, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { address, packet4, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;
const PACKETS = 1_000_000;
const WARM = 50_000;
const PACKET = packet4('10.88.0.2', '10.88.0.1', 200);

function parts(fakes: (memory: NativeMemory) => Partial<Libc>): PathParts {
  const core = createCoreSync(loadCoreModuleSync());
  const memory = new NativeMemory(core);
  const calls: Libc = { ...libc(), errno: () => EAGAIN, getsockopt: () => 0, ioctlValue: () => 0, ...fakes(memory) };
  const numbers = shared();
  const emit = () => {};
  const tun = new TunPort(calls, memory, numbers);
  return {
    core,
    calls,
    memory,
    tun,
    shared: numbers,
    errors: new PathErrors(calls, memory, emit),
    emit,
  };
}

/** Bytes that the heap grew by per packet, the smallest of several spells: a collection in between only hides growth. */
function growth(run: (packets: number) => void): number {
  run(WARM);
  const spells: number[] = [];
  const each = PACKETS / 20;
  for (let i = 0; i < 20; i++) {
    const before = process.memoryUsage().heapUsed;
    run(each);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) spells.push(grown / each);
  }
  return spells.sort((a, b) => a - b)[Math.floor(spells.length / 2)] ?? Number.NaN;
}

function sending(): { run: (packets: number) => void; parts: PathParts } {
  let waiting = 0;
  const made = parts((memory) => ({
    read: (_fd, at) => {
      if (waiting === 0) return -1;
      waiting--;
      memory.bytes.set(PACKET, at - memory.base);
      return PACKET.length;
    },
    sendmmsg: (_fd, _headers, count) => count,
  }));
  const sender = new Sender(made);
  sender.command({ kind: 'attachTun', tun: { fd: FD, vnetHeader: false } }, 0);
  sender.command({ kind: 'configure', tunnel: 0, params: tunnelParams('gre-tunnel', true) }, 0);
  const peer = { remote: { address: address('127.0.0.1'), port: 4500 }, socket: FD, encapsulation: 'udp' } as const;
  sender.command({ kind: 'setPeer', tunnel: 0, peer }, 0);
  sender.command({ kind: 'installOutbound', slot: 0, params: saParams(SPI.responder, 'chacha20-poly1305') }, 0);
  sender.command({ kind: 'activate', tunnel: 0, slot: 0 }, 0);
  let now = 0;
  return {
    parts: made,
    run: (packets) => {
      for (let left = packets; left > 0; left -= 50) {
        waiting = 50;
        now++;
        // As poll() would: a lone packet's turn does not look for more.
        while (sender.turn(now) || waiting > 0);
      }
    },
  };
}

it('sends a million packets without an object for each', () => {
  const { run, parts } = sending();
  const perPacket = growth(run);
  expect(parts.shared.numbers[IO_SENT]).toBe(PACKETS + WARM);
  expect(perPacket).toBeLessThan(4);
}, 60_000);

it('receives a million packets without an object for each', () => {
  // A plain GRE-less batch cannot be replayed a million times, so the datagrams are sealed as they are received.
  const sender = createCoreSync(loadCoreModuleSync());
  sender.configureTunnel(0, tunnelParams('esp-tunnel', true));
  sender.installOutbound(0, saParams(SPI.responder, 'chacha20-poly1305'));
  sender.activateOutbound(0, 0);
  const made = parts((memory) => ({
    recvmmsg: (_fd, headers) => {
      const result = seal();
      for (let i = 0; i < result; i++) {
        const header = (headers - memory.base + i * MMSGHDR_BYTES) >>> 2;
        const target = memory.words[(RECEIVE_IOVECS + i * IOVEC_BYTES) >>> 2]!;
        const slot = target - (memory.base >>> 0);
        const at = (OUT_DESC + i * DESC_BYTES) >>> 2;
        const offset = sender.words[at]!;
        const length = sender.words[at + DESC_LENGTH / 4]!;
        for (let word = 0; word * 4 < length; word++)
          memory.words[((slot >>> 0) >>> 2) + word] = sender.words[(offset >>> 2) + word]!;
        memory.words[header + MSG_LEN / 4] = length;
        memory.words[header + MSG_CONTROLLEN / 4] = 0;
      }
      return result;
    },
    write: (_fd, _at, length) => length,
  }));
  const seal = (): number => {
    for (let i = 0; i < 50; i++) {
      const at = (IN_DESC + i * DESC_BYTES) >>> 2;
      sender.words[at] = IN;
      sender.words[at + 1] = PACKET.length;
      sender.words[at + 2] = PACKET.length;
      sender.words[at + 3] = 0;
    }
    sender.bytes.set(PACKET, IN);
    return sender.seal(50, 0).out;
  };
  const receiver = new Receiver(made);
  receiver.command({ kind: 'attachTun', tun: { fd: FD, vnetHeader: false } }, 0);
  receiver.command({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', false) }, 0);
  const sa = { ...saParams(SPI.responder, 'chacha20-poly1305'), replayWindow: 1024 };
  receiver.command({ kind: 'installInbound', slot: 0, params: sa }, 0);
  receiver.command({ kind: 'addSocket', socket: { fd: FD, kind: 'natt' } }, 0);
  const socket = [...receiver.sockets.values()][0]!;
  let now = 0;
  const perPacket = growth((packets) => {
    for (let left = packets; left > 0; left -= 50) receiver.turn(socket, ++now);
  });
  expect(made.shared.numbers[IO_RECEIVED]).toBe(PACKETS + WARM);
  expect(made.shared.numbers[IO_TUN_WRITTEN]).toBe(PACKETS + WARM);
  expect(perPacket).toBeLessThan(4);
}, 60_000);
