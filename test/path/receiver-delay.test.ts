// What the receiver makes of datagrams that waited in the socket: the kernel's stamp against the wall clock, both of them this
// test's own. Each datagram has an inner packet that can carry a congestion mark, or cannot.
import { expect, it } from 'vitest';
import { DESC_LENGTH, IN, IN_DESC, OUT_DESC } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
  CMSG_HEADER_BYTES,
  EAGAIN,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_LEN,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { INTERVAL_MS, TARGET_MS } from '../../main/path/codel.ts';
import { RECEIVE_CONTROL_BYTES, RECEIVE_CONTROLS, RECEIVE_IOVECS } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Receiver } from '../../main/path/receiver.ts';
import { IO_RECEIVE_MARKED, IO_TUN_WRITTEN, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { packet4, SPI, saParams, tunnelParams } from './pair.ts';

const FD = 900;
const AT_ONCE = 64;
const NOT_CAPABLE = 0;
const CAPABLE = 2;
const MARKED = 3;

/** `ecn` of every inner packet. */
function rig(ecn: number) {
  const module = loadCoreModuleSync();
  const far = createCoreSync(module, { accelerator: 'off' });
  far.configureTunnel(0, tunnelParams('esp-tunnel', true));
  far.installOutbound(0, saParams(SPI.responder, 'chacha20-poly1305'));
  far.activateOutbound(0, 0);
  const core = createCoreSync(module, { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const { words, bytes } = memory;
  // Past 2^32 milliseconds and with a fraction, as today's time.
  let wall = 1_790_000_000_123;
  let arrived: number[] = [];
  const written: number[] = [];

  /** A sealed packet into message `i`, stamped with its arrival. */
  const fill = (i: number, stamp: number) => {
    const inner = packet4('10.88.0.2', '10.88.0.1', 200, 1, ecn);
    far.bytes.set(inner, IN);
    far.words.set([IN, 2048, inner.length, 0], IN_DESC >>> 2);
    expect(far.seal(1, 0).out).toBe(1);
    const at = OUT_DESC >>> 2;
    const length = far.words[at + DESC_LENGTH / 4]!;
    const target = (words[(RECEIVE_IOVECS + i * IOVEC_BYTES) >>> 2]! - (memory.base >>> 0)) >>> 0;
    bytes.set(far.bytes.subarray(far.words[at]!, far.words[at]! + length), target);
    const control = (RECEIVE_CONTROLS + i * RECEIVE_CONTROL_BYTES) >>> 2;
    const seconds = Math.floor(stamp / 1000);
    const nanoseconds = Math.round((stamp - seconds * 1000) * 1e6);
    words.set([CMSG_HEADER_BYTES + 16, 0, SOL_SOCKET, SO_TIMESTAMPNS, seconds, 0, nanoseconds, 0], control);
    return length;
  };
  const system: Libc = {
    ...libc(),
    errno: () => EAGAIN,
    getsockopt: () => 0,
    recvmmsg: (_fd, headers) => {
      arrived.forEach((stamp, i) => {
        const header = (headers - memory.base + i * MMSGHDR_BYTES) >>> 2;
        words[header + MSG_LEN / 4] = fill(i, stamp);
        words[header + MSG_CONTROLLEN / 4] = CMSG_HEADER_BYTES + 16;
      });
      const { length } = arrived;
      arrived = [];
      return length || -1;
    },
    write: (_fd, at, length) => {
      written.push(bytes[at - memory.base + 1]! & 3);
      return length;
    },
  };
  const numbers = shared();
  const emit = () => {};
  const tun = new TunPort(system, memory, numbers);
  const errors = new PathErrors(system, memory, emit);
  const receiver = new Receiver({ core, calls: system, memory, tun, shared: numbers, errors, emit, wall: () => wall });
  receiver.command({ kind: 'attachTun', tun: { fd: FD, vnetHeader: false } }, 0);
  receiver.command({ kind: 'configure', tunnel: 0, params: tunnelParams('esp-tunnel', false) }, 0);
  const sa = { ...saParams(SPI.responder, 'chacha20-poly1305'), replayWindow: 1024 };
  receiver.command({ kind: 'installInbound', slot: 0, params: sa }, 0);
  receiver.command({ kind: 'addSocket', socket: { fd: FD, kind: 'natt' } }, 0);
  const socket = receiver.sockets.get(FD)!;
  return {
    written,
    counters: () => core.counters(),
    numbers: numbers.numbers,
    /**
     * For so many milliseconds, each reads as many datagrams as a turn takes, all having waited `sojourn`. (Fewer would mean that the
     * socket is empty: no queue, whatever the wait.)
     */
    run: (milliseconds: number, sojourn: number, atOnce = AT_ONCE) => {
      for (let i = 0; i < milliseconds; i++) {
        wall++;
        arrived = new Array(atOnce).fill(wall - sojourn);
        receiver.turn(socket, i);
      }
    },
  };
}

it('lets datagrams through as they are while the wait is short, or long for less than an interval', () => {
  const { run, written, numbers } = rig(CAPABLE);
  run(300, TARGET_MS - 0.5);
  run(INTERVAL_MS - 1, 20);
  run(1, 0);
  run(INTERVAL_MS - 1, 20);
  expect(numbers[IO_RECEIVE_MARKED]).toBe(0);
  expect(new Set(written)).toEqual(new Set([CAPABLE]));
});

it('marks inner packets that can be marked once waits have been long for an interval, more and more of them (RFC 8289 §5.4)', () => {
  const { run, written, numbers, counters } = rig(CAPABLE);
  run(INTERVAL_MS + 1, 20);
  expect(numbers[IO_RECEIVE_MARKED]).toBe(1);
  run(400, 20);
  const marked = numbers[IO_RECEIVE_MARKED]!;
  expect(marked).toBeGreaterThan(5);
  expect(written.filter((ecn) => ecn === MARKED)).toHaveLength(marked);
  // None is lost for it.
  expect(written).toHaveLength(AT_ONCE * (INTERVAL_MS + 401));
  expect(counters().inEcn).toBe(0);
  run(1, 0);
  run(INTERVAL_MS - 1, 20);
  expect(numbers[IO_RECEIVE_MARKED], 'calm again after one short wait').toBe(marked);
});

it('bears any wait where a turn empties the socket (RFC 8289 §5.5)', () => {
  const { run, written, numbers } = rig(CAPABLE);
  run(500, 20, AT_ONCE - 1);
  expect(numbers[IO_RECEIVE_MARKED]).toBe(0);
  expect(written).toHaveLength(500 * (AT_ONCE - 1));
});

it('drops and counts where the inner packet cannot be marked (RFC 6040 §4.2)', () => {
  const { run, written, numbers, counters } = rig(NOT_CAPABLE);
  run(500, 20);
  const marked = numbers[IO_RECEIVE_MARKED]!;
  expect(marked).toBeGreaterThan(5);
  expect(counters().inEcn).toBe(marked);
  expect(new Set(written)).toEqual(new Set([NOT_CAPABLE]));
  expect(numbers[IO_TUN_WRITTEN]).toBe(AT_ONCE * 500 - marked);
});
