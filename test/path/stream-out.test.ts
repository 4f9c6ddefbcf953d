// Sending into a stream, with the kernel faked: it takes as many bytes of each call as the test says.
import { expect, it, test } from 'vitest';
import { DESC_BYTES, DESC_LENGTH, OUT } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { EAGAIN, EINTR, IOVEC_BYTES, MSG_IOV, MSG_IOVLEN } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import type { PathEvent } from '../../main/path/command.ts';
import { SEND_DESC } from '../../main/path/layout.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { PathErrors } from '../../main/path/path-errors.ts';
import { shared } from '../../main/path/shared.ts';
import { StreamOut } from '../../main/path/stream-out.ts';
import { TunPort } from '../../main/path/tun-port.ts';
import { randomness } from '../assembly/crypto/randomness.ts';

const FD = 900;
const EPIPE = 32;

const core = createCoreSync(loadCoreModuleSync(), { accelerator: 'off' });
const memory = new NativeMemory(core);

/** How many bytes one call takes; `refused`: none, with that error. */
type Taken = number | { readonly refused: number };

function rig(next: () => Taken) {
  const taken: number[] = [];
  const events: PathEvent[] = [];
  let errno = 0;
  const take = (bytes: Uint8Array): number => {
    const outcome = next();
    if (typeof outcome !== 'number') {
      errno = outcome.refused;
      return -1;
    }
    const part = bytes.subarray(0, outcome);
    taken.push(...part);
    return part.length;
  };
  const pointer = (at: number): number =>
    memory.words[at >>> 2]! + memory.words[(at >>> 2) + 1]! * 0x1_0000_0000 - memory.base;
  const calls: Libc = {
    ...libc(),
    errno: () => errno,
    sendto: (_fd, bytes) => take(bytes),
    sendmsg(_fd, header) {
      const at = header - memory.base;
      const first = pointer(at + MSG_IOV);
      const count = memory.words[(at + MSG_IOVLEN) >>> 2]!;
      const pieces = Array.from({ length: count }, (_, i) => {
        const iovec = first + i * IOVEC_BYTES;
        const start = pointer(iovec);
        return memory.bytes.subarray(start, start + memory.words[(iovec + 8) >>> 2]!);
      });
      return take(Buffer.concat(pieces));
    },
  };
  const emit = (event: PathEvent): void => void events.push(event);
  const numbers = shared();
  const tun = new TunPort(calls, memory, numbers);
  const errors = new PathErrors(calls, memory, emit);
  const stream = new StreamOut({ core, calls, memory, tun, shared: numbers, errors, emit }, FD);
  return { stream, taken, events };
}

/** Puts packets into OUT and SEND_DESC, as is done with what was sealed. */
function batch(stream: StreamOut, packets: readonly Uint8Array[]): void {
  let at = OUT;
  packets.forEach((packet, i) => {
    memory.bytes.set(packet, at);
    memory.words[(SEND_DESC + i * DESC_BYTES) >>> 2] = at;
    memory.words[(SEND_DESC + i * DESC_BYTES + DESC_LENGTH) >>> 2] = packet.length;
    at += packet.length + 3;
  });
  stream.begin(0, packets.length);
}

/** What the other end reads: messages behind their lengths. */
function read(taken: readonly number[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < taken.length; ) {
    const length = taken[at]! * 256 + taken[at + 1]!;
    expect(length).toBeGreaterThanOrEqual(2);
    expect(at + length, 'a message that is cut').toBeLessThanOrEqual(taken.length);
    messages.push(Uint8Array.from(taken.slice(at + 2, at + length)));
    at += length;
  }
  return messages;
}

const packet = (mark: number, length: number): Uint8Array => new Uint8Array(length).fill(mark);

it.each([1, 2, 3, 4, 5, 6, 7, 8])('never cuts a message in two, whatever each call takes, seed %i', (seed) => {
  const { below } = randomness(`stream out ${seed}`);
  const { stream, taken } = rig(() => {
    const kind = below(10);
    return kind < 2 ? { refused: EAGAIN } : kind < 3 ? { refused: EINTR } : kind < 5 ? 1 : below(3000);
  });
  const wanted: { readonly packets: Uint8Array[]; readonly messages: Uint8Array[] } = { packets: [], messages: [] };
  for (let round = 0; round < 30; round++) {
    const packets = Array.from({ length: 1 + below(6) }, (_, i) => packet(1 + ((round + i) % 99), 1 + below(700)));
    wanted.packets.push(...packets);
    batch(stream, packets);
    for (let turns = 0; stream.remaining > 0 || stream.hasMessages; turns++) {
      if (below(4) === 0 && turns < 20) {
        const message = packet(200 + below(50), 1 + below(600));
        if (stream.message(message)) wanted.messages.push(message);
      }
      if (stream.flush() === 'broken') throw new Error('broken');
      expect(turns).toBeLessThan(10_000);
    }
  }
  const came = read(taken);
  // Each kind in its own order; marks from 200 on are IKE messages.
  expect(came.filter(([mark]) => mark! < 200)).toEqual(wanted.packets);
  expect(came.filter(([mark]) => mark! >= 200)).toEqual(wanted.messages);
});

test('an IKE message waits for the end of a packet that has begun, and goes before the next', () => {
  const script: Taken[] = [5, { refused: EAGAIN }];
  const { stream, taken } = rig(() => script.shift() ?? 10_000);
  batch(stream, [packet(1, 100), packet(2, 100)]);
  expect(stream.flush()).toBe('full');
  expect(stream.message(packet(200, 50))).toBe(true);
  script.push(97, { refused: EAGAIN });
  expect(stream.flush()).toBe('full');
  expect(stream.flush()).toBe('done');
  expect(read(taken).map(([mark]) => mark)).toEqual([1, 200, 2]);
});

test('an IKE message leaves right behind a packet that had begun, where nothing else waits', () => {
  const script: Taken[] = [5, { refused: EAGAIN }];
  const { stream, taken } = rig(() => script.shift() ?? 10_000);
  batch(stream, [packet(1, 100)]);
  stream.flush();
  stream.message(packet(200, 50));
  expect(stream.flush()).toBe('done');
  expect(read(taken).map(([mark]) => mark)).toEqual([1, 200]);
});

test('what waits alone is sent, and said to wait', () => {
  const { stream, taken } = rig(() => 10_000);
  expect(stream.hasMessages).toBe(false);
  stream.message(packet(200, 1000));
  expect(stream.hasMessages).toBe(true);
  expect(stream.flush()).toBe('done');
  expect(stream.hasMessages).toBe(false);
  expect(read(taken)).toEqual([packet(200, 1000)]);
});

test('so many messages wait, and no more', () => {
  const { stream, taken } = rig(() => 10_000);
  expect(Array.from({ length: 66 }, () => stream.message(packet(200, 10))).filter((kept) => kept)).toHaveLength(64);
  stream.flush();
  expect(read(taken)).toHaveLength(64);
});

test('a batch that is given up between two packets leaves the stream whole; within one it breaks it', () => {
  const script: Taken[] = [102, { refused: EAGAIN }];
  const { stream, taken } = rig(() => script.shift() ?? 10_000);
  batch(stream, [packet(1, 100), packet(2, 100)]);
  expect(stream.flush()).toBe('full');
  stream.abandon();
  expect(stream.remaining).toBe(0);
  batch(stream, [packet(3, 100)]);
  expect(stream.flush()).toBe('done');
  expect(read(taken).map(([mark]) => mark)).toEqual([1, 3]);

  script.push(50, { refused: EAGAIN });
  batch(stream, [packet(4, 100)]);
  stream.flush();
  stream.abandon();
  stream.message(packet(200, 10));
  expect(stream.flush()).toBe('broken');
  expect(stream.hasMessages).toBe(false);
});

test('an error is told once, and nothing is sent after it', () => {
  const { stream, taken, events } = rig(() => ({ refused: EPIPE }));
  stream.message(packet(200, 10));
  batch(stream, [packet(1, 100)]);
  expect([stream.flush(), stream.flush()]).toEqual(['broken', 'broken']);
  expect(stream.hasMessages).toBe(false);
  expect(taken).toEqual([]);
  expect(events).toEqual([{ kind: 'streamClosed', socket: FD, reason: 'EPIPE' }]);
});
