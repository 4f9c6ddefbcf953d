// Finding messages in a stream, read by read: however it is cut, and where it is not what it should be.
import { describe, expect, it, test } from 'vitest';
import { BURST_SLOT_BYTES, IN } from '../../assembly/layout.ts';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { NativeMemory } from '../../main/path/memory.ts';
import { StreamIn } from '../../main/path/stream-in.ts';
import { randomness } from '../assembly/crypto/randomness.ts';

const memory = new NativeMemory(createCoreSync(loadCoreModuleSync(), { accelerator: 'off' }));

const framed = (...messages: readonly Uint8Array[]): Buffer =>
  Buffer.concat(messages.flatMap((one) => [Buffer.of((one.length + 2) >> 8, (one.length + 2) & 255), one]));
const IKETCP = Buffer.from('IKETCP');

/** Reads `chunk` and takes at most `most` messages. */
function feed(stream: StreamIn, chunk: Uint8Array, most = Number.POSITIVE_INFINITY) {
  const at = stream.begin();
  expect(at + chunk.length).toBeLessThanOrEqual(IN + 2 * BURST_SLOT_BYTES);
  memory.bytes.set(chunk, at);
  stream.read(chunk.length);
  const messages: Uint8Array[] = [];
  let said = 'message';
  while (messages.length < most) {
    said = stream.next();
    if (said !== 'message') break;
    messages.push(memory.bytes.slice(stream.offset, stream.offset + stream.length));
  }
  stream.end();
  // Whoever has IN meanwhile leaves nothing of it; zeros would be a length of 0.
  memory.bytes.fill(0, IN, IN + BURST_SLOT_BYTES);
  return { messages, said };
}

it.each([1, 2, 3, 4])('however it is cut into reads, seed %i', (seed) => {
  const { below } = randomness(`stream in ${seed}`);
  const wanted = Array.from({ length: 60 }, (_, i) => new Uint8Array(1 + below(i % 7 === 0 ? 9000 : 300)).fill(i));
  const whole = Buffer.concat([IKETCP, framed(...wanted)]);
  const stream = new StreamIn(memory, true);
  const came: Uint8Array[] = [];
  for (let at = 0; at < whole.length; ) {
    const length = below(3) === 0 ? 1 : 1 + below(5000);
    came.push(...feed(stream, whole.subarray(at, at + length)).messages);
    at += length;
  }
  expect(came).toEqual(wanted);
});

test('empty messages are passed over (RFC 9329 §3.1)', () => {
  const one = Uint8Array.of(1, 2, 3);
  const stream = new StreamIn(memory, false);
  const { messages, said } = feed(stream, framed(new Uint8Array(0), one, new Uint8Array(0), one));
  expect([messages, said]).toEqual([[one, one], 'none']);
});

test.each([0, 1])('a length of %i is the end of the stream', (length) => {
  expect(feed(new StreamIn(memory, false), Buffer.of(0, length, 9, 9)).said).toBe('length');
});

test('more messages than a batch takes are there without another read', () => {
  const two = [Uint8Array.of(1), Uint8Array.of(2)];
  const stream = new StreamIn(memory, false);
  expect(feed(stream, framed(...two), 1).messages).toEqual([two[0]]);
  expect(stream.hasMore).toBe(true);
  expect(feed(stream, new Uint8Array(0), 1).messages).toEqual([two[1]]);
  expect(stream.hasMore).toBe(false);
  // A length, and not yet what it announces.
  feed(stream, framed(Uint8Array.of(3, 4)).subarray(0, 3));
  expect(stream.hasMore).toBe(false);
});

describe('the prefix', () => {
  test('comes once, in pieces too, and is no message', () => {
    const stream = new StreamIn(memory, true);
    for (const byte of IKETCP) expect(feed(stream, Buffer.of(byte))).toEqual({ messages: [], said: 'none' });
    expect(stream.hasMore).toBe(false);
    expect(feed(stream, framed(IKETCP)).messages).toEqual([Uint8Array.from(IKETCP)]);
  });

  test.each([0, 1, 2, 3, 4, 5])('wrong at byte %i is the end of the stream', (at) => {
    const wrong = Buffer.from(IKETCP);
    wrong[at]! ^= 1;
    expect(feed(new StreamIn(memory, true), Buffer.concat([wrong, framed(Uint8Array.of(1))])).said).toBe('prefix');
  });

  test('is not waited for from who does not send it', () => {
    expect(feed(new StreamIn(memory, false), framed(Uint8Array.of(1))).messages).toEqual([Uint8Array.of(1)]);
  });
});
