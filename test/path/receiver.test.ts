// The receiver alone, with the operating system faked: how much it reads at a time, and in which order things come out. The
// datagrams are IKE messages, which need no keys and come out as events.
import { expect, it } from 'vitest';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import {
  CMSG_HEADER_BYTES,
  EAGAIN,
  ECONNREFUSED,
  IOVEC_BYTES,
  IPPROTO_UDP,
  MMSGHDR_BYTES,
  MSG_CONTROLLEN,
  MSG_LEN,
  UDP_GRO,
} from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { encodeSockaddr } from '../../main/native/sockaddr.ts';
import {
  RECEIVE_CONTROL_BYTES,
  RECEIVE_CONTROLS,
  RECEIVE_HEADERS,
  RECEIVE_IOVECS,
  RECEIVE_NAMES,
} from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { Receiver } from '../../main/path/receiver.ts';
import { IKE_IN_FLIGHT, IO_CUT_OFF, IO_RECEIVED, shared } from '../../main/path/shared.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { randomness } from '../assembly/crypto/randomness.ts';
import { address } from './pair.ts';

const FD = 900;
const SEGMENT = 20;
const SEED = process.env.SEED ?? String(Date.now() % 1_000_000_000);

/** A socket that holds messages of so many datagrams each; the datagrams are numbered. */
function rig(gro: boolean) {
  const waiting: number[] = [];
  const calls: number[] = [];
  const heard: number[] = [];
  const errors: string[] = [];
  const link = { pending: 0, errno: EAGAIN };
  let number = 0;
  const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
  const memory = new NativeMemory(core);
  const { words, bytes } = memory;

  const fill = (index: number, datagrams: number) => {
    const target = words[(RECEIVE_IOVECS + index * IOVEC_BYTES) >>> 2]! - (memory.base >>> 0);
    const at = target >>> 0;
    for (let i = 0; i < datagrams; i++) {
      const start = at + i * SEGMENT;
      bytes.fill(0, start, start + SEGMENT);
      words[(start + 4) >>> 2] = ++number;
    }
    const header = RECEIVE_HEADERS + index * MMSGHDR_BYTES;
    words[(header + MSG_LEN) >>> 2] = datagrams * SEGMENT;
    encodeSockaddr(address('192.0.2.1'), 4500, bytes, RECEIVE_NAMES + index * 32);
    const control = (RECEIVE_CONTROLS + index * RECEIVE_CONTROL_BYTES) >>> 2;
    const burst = datagrams > 1;
    if (burst) words.set([CMSG_HEADER_BYTES + 4, 0, IPPROTO_UDP, UDP_GRO, SEGMENT], control);
    words[(header + MSG_CONTROLLEN) >>> 2] = burst ? CMSG_HEADER_BYTES + 8 : 0;
  };
  const system: Libc = {
    ...libc(),
    errno: () => link.errno,
    getsockopt: () => (gro ? 1 : 0),
    recvmmsg: (_fd, headers, count) => {
      link.errno = link.pending || EAGAIN;
      const failed = link.pending !== 0;
      link.pending = 0;
      const first = (headers - memory.base - RECEIVE_HEADERS) / MMSGHDR_BYTES;
      const taken = failed ? [] : waiting.splice(0, count);
      taken.forEach((datagrams, i) => {
        fill(first + i, datagrams);
      });
      calls.push(taken.length);
      return taken.length || -1;
    },
    recvmsg: () => -1,
  };
  const numbers = shared();
  const emit: ConstructorParameters<typeof PathErrors>[2] = (event) => {
    if (event.kind === 'ike') heard.push(new DataView(event.bytes.buffer, event.bytes.byteOffset).getUint32(0, true));
    else if (event.kind === 'pathError') errors.push(event.name);
    Atomics.store(numbers.flags, IKE_IN_FLIGHT, 0);
  };
  const tun = new TunPort(system, memory, numbers);
  const pathErrors = new PathErrors(system, memory, emit);
  const receiver = new Receiver({ core, calls: system, memory, tun, shared: numbers, errors: pathErrors, emit });
  receiver.command({ kind: 'addSocket', socket: { fd: FD, kind: 'natt' } }, 0);
  const socket = receiver.sockets.get(FD)!;
  return {
    waiting,
    calls,
    heard,
    errors,
    link,
    numbers: numbers.numbers,
    turn: () => {
      calls.length = 0;
      heard.length = 0;
      receiver.turn(socket, 1);
    },
  };
}

const count = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);

it('reads on where a link forms no bursts, until a batch is worth its ciphers, its TUN and its turn', () => {
  const { waiting, turn, heard, calls } = rig(true);
  waiting.push(...new Array(145).fill(1));
  turn();
  expect(heard).toEqual(count(1, 64));
  expect(calls.every((n) => n <= 8)).toBe(true);
  turn();
  expect(heard).toEqual(count(65, 64));
  turn();
  expect(heard).toEqual(count(129, 17));
  // The last call found less than it asked for: there is no other to find nothing.
  expect(calls.at(-1)).toBeGreaterThan(0);
});

it('takes eight whole bursts at once and asks for no more', () => {
  const { waiting, turn, heard, calls } = rig(true);
  waiting.push(...new Array(20).fill(64));
  turn();
  expect(calls).toEqual([8]);
  expect(heard).toEqual(count(1, 512));
});

it('reads a socket without bursts in one call', () => {
  const { waiting, turn, heard, calls } = rig(false);
  waiting.push(...new Array(100).fill(1));
  turn();
  expect(calls).toEqual([64]);
  expect(heard).toEqual(count(1, 64));
});

it(`keeps the order of any mixture, and never has more than its table takes (SEED=${SEED})`, () => {
  const random = randomness(`receiver ${SEED}`);
  const { waiting, turn, heard, numbers } = rig(true);
  let expected = 1;
  for (let round = 0; round < 200; round++) {
    const lean = random.below(3);
    const messages = Array.from({ length: random.below(90) }, () =>
      random.below(3) < lean ? 1 + random.below(64) : 1,
    );
    const all = messages.reduce((sum, n) => sum + n, 0);
    waiting.push(...messages);
    const got: number[] = [];
    while (waiting.length > 0) {
      turn();
      expect(heard.length).toBeGreaterThan(0);
      got.push(...heard);
    }
    expect(got).toEqual(count(expected, all));
    expected += all;
  }
  expect(numbers[IO_CUT_OFF]).toBe(0);
  expect(numbers[IO_RECEIVED]).toBe(expected - 1);
});

it('delivers what it has read before a pending error, and reports that', () => {
  const { waiting, turn, heard, errors, link } = rig(true);
  waiting.push(1, 1, 1);
  link.pending = ECONNREFUSED;
  turn();
  expect(heard).toEqual([]);
  expect(errors).toEqual(['ECONNREFUSED']);
  turn();
  expect(heard).toEqual([1, 2, 3]);
  expect(errors).toEqual(['ECONNREFUSED']);
});
