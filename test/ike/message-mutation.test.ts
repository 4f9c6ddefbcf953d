// Mutations that know the structure of a message: headers, lengths, counts and links between payloads are what they hit.
// Whatever comes out, decoding returns a message or an error, never throws, and never hangs.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeHeader,
  decodeMessage,
  Exchange,
  encodeMessage,
  HEADER_BYTES,
  type Message,
} from '../../main/ike/message.ts';
import { type Payload, typeOf } from '../../main/ike/payload/payload.ts';
import { checkMessage } from '../../main/ike/rules.ts';
import { openMessage, sealMessage } from '../../main/ike/sealed.ts';
import { isWireError } from '../../main/wire/error.ts';
import { seeded } from '../crypto/seeded.ts';
import { anyPayload, withoutRaw } from './payload/arbitrary.ts';
import { protectionFrom, RECORDED, read } from './recorded.ts';

const messages: fc.Arbitrary<Message> = fc.record({
  header: fc.record({
    SPIi: fc.bigInt(0n, 2n ** 64n - 1n),
    SPIr: fc.bigInt(0n, 2n ** 64n - 1n),
    exchange: fc.constantFrom(...Object.values(Exchange)),
    initiator: fc.boolean(),
    response: fc.boolean(),
    messageId: fc.nat(0xffffffff),
  }),
  payloads: fc.array(anyPayload, { maxLength: 8 }),
  protected: fc.constant(false),
});

const plain = ({ intAuth: _, ...message }: Message): Message => ({
  ...message,
  payloads: message.payloads.map(withoutRaw),
});

test('every message round trips in the clear', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const again = decodeMessage(encodeMessage(message.header, message.payloads));
      if (isWireError(again)) throw new Error(String(again));
      expect(plain(again)).toEqual(message);
    }),
  );
});

test.each(RECORDED)('every message round trips sealed with $selected', (recorded) => {
  const protection = protectionFrom(recorded, true);
  fc.assert(
    fc.property(messages, (message) => {
      const again = openMessage(sealMessage(message.header, message.payloads, protection, seeded(1)), protection);
      if (isWireError(again)) throw new Error(String(again));
      expect(plain(again)).toEqual({ ...message, protected: true });
    }),
    { numRuns: 50 },
  );
});

/** Where each payload's generic header starts. */
function payloadOffsets(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets: number[] = [];
  for (let at = HEADER_BYTES; at + 4 <= bytes.length; ) {
    offsets.push(at);
    const length = view.getUint16(at + 2);
    if (length < 4) break;
    at += length;
  }
  return offsets;
}

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 0x0f, 0x10, 0x28, 0x7f, 0x80, 0xfe, 0xff];
const TYPES = [0, ...Array.from({ length: 16 }, (_, i) => 33 + i), 53, 99, 255];

type Random = (below: number) => number;

/** One change; may return other bytes of another length. */
function mutate(bytes: Uint8Array, pick: Random, donor: Uint8Array): Uint8Array {
  const offsets = payloadOffsets(bytes);
  const at = offsets[pick(offsets.length || 1)] ?? 0;
  const one = <T>(from: readonly T[]): T => from[pick(from.length)]!;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  switch (pick(9)) {
    case 0: // a bit
      copy[pick(copy.length)]! ^= 1 << pick(8);
      return copy;
    case 1: // a byte that formats are sensitive to
      copy[pick(copy.length)] = one(INTERESTING);
      return copy;
    case 2: // the type of the next payload
      copy[at] = one(TYPES);
      return copy;
    case 3: // a payload's length
      if (at + 4 <= copy.length)
        view.setUint16(at + 2, one([0, 1, 3, 4, 5, 8, view.getUint16(at + 2) + pick(9) - 4, 65535]) & 0xffff);
      return copy;
    case 4: // a byte early in a body, where counts, sizes and inner lengths are
      copy[Math.min(copy.length - 1, at + 4 + pick(16))] = one(INTERESTING);
      return copy;
    case 5: // cut
      return copy.slice(0, pick(copy.length));
    case 6: {
      // bytes put in, or taken out, behind a generic header
      const place = Math.min(copy.length, at + 4 + pick(8));
      return pick(2)
        ? Uint8Array.from([...copy.subarray(0, place), ...seeded(pick(1 << 30))(pick(12)), ...copy.subarray(place)])
        : Uint8Array.from([...copy.subarray(0, place), ...copy.subarray(place + pick(12))]);
    }
    case 7: {
      // a payload of another message
      const from = payloadOffsets(donor);
      const start = from[pick(from.length || 1)] ?? 0;
      return Uint8Array.from([
        ...copy.subarray(0, at),
        ...donor.subarray(start, start + 4 + pick(60)),
        ...copy.subarray(at),
      ]);
    }
    default: // a 16-bit field anywhere
      if (copy.length >= 2) view.setUint16(pick(copy.length - 1), one([0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xffff]));
      return copy;
  }
}

/** Most mutants get a header that lets them past the first checks. */
function mend(bytes: Uint8Array, pick: Random): Uint8Array {
  if (bytes.length < HEADER_BYTES || pick(8) === 0) return bytes;
  const view = new DataView(bytes.buffer);
  bytes[17] = 0x20;
  view.setUint32(24, bytes.length);
  if (!Object.values<number>(Exchange).includes(bytes[18]!)) bytes[18] = Exchange.IKE_AUTH;
  return bytes;
}

test('mutants never throw, and what is taken can be written and read again', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`message mutation seed ${seed} (SEED=${seed} repeats it)`);
  const random = seeded(seed);
  const pick: Random = (below) => {
    const [a, b, c, d] = random(4);
    return (((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0) % below;
  };
  // Real messages, in the clear: what strongSwan sent inside its Encrypted payloads is reached too.
  const corpus = RECORDED.flatMap((recorded) =>
    recorded.messages.map((_, index) => {
      const { header, payloads } = read(recorded, index);
      return encodeMessage(header, payloads);
    }),
  );
  const generated = fc
    .sample(messages, { numRuns: 60, seed })
    .map(({ header, payloads }) => encodeMessage(header, payloads));
  corpus.push(...generated);

  const protection = protectionFrom(RECORDED[0]!, true);
  const seen = new Map<string, number>();
  let taken = 0;
  const rounds = 40_000;
  for (let i = 0; i < rounds; i++) {
    let bytes = corpus[pick(corpus.length)]!;
    for (let changes = 1 + pick(3); changes > 0; changes--)
      if (bytes.length > 0) bytes = mutate(bytes, pick, corpus[pick(corpus.length)]!);
    bytes = mend(bytes, pick);

    const message = decodeMessage(bytes);
    decodeHeader(bytes);
    if (i % 8 === 0) expect(isWireError(openMessage(bytes, protection))).toBe(true);
    if (isWireError(message)) {
      expect(message.offset).toBeLessThanOrEqual(bytes.length);
      seen.set(`${message.layer}: ${message.code}`, (seen.get(`${message.layer}: ${message.code}`) ?? 0) + 1);
      continue;
    }
    taken++;
    checkMessage(message);
    const again = decodeMessage(written(message));
    if (isWireError(again)) throw new Error(`seed ${seed}, round ${i}: ${again}`);
    expect(again.payloads.map(withoutRaw)).toEqual(message.payloads.map(withoutRaw));
  }
  console.log(`${rounds} mutants, ${taken} taken, refused in ${seen.size} ways`);
  // The mutations must get both past the checks and into the formats inside.
  expect(taken).toBeGreaterThan(rounds / 20);
  expect(seen.size).toBeGreaterThan(15);
});

/** The message again. An Encrypted payload loses the type of what is inside: nothing was said about it. */
function written({ header, payloads }: Message): Uint8Array {
  expect(payloads.every((payload: Payload) => typeOf(payload) > 0)).toBe(true);
  return encodeMessage(header, payloads);
}
