// Mutations of an IKE message that know where its parts are: a header of 28 bytes, then a chain of payloads, each with the type of the
// next one, flags and a length. Most of what comes out is still a chain, wrong in one place; the rest is plain noise.
import { HEADER_BYTES } from '../../main/ike/message.ts';

type Numbers = () => number;

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 27, 28, 127, 128, 255, 256, 1023, 4096, 32767, 65535];
/** Types that payloads have (RFC 7296 §3.2, RFC 7383, RFC 8019), and some that none has. */
const TYPES = [0, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 53, 54, 1, 49, 60, 128, 255];

interface Part {
  readonly at: number;
  readonly length: number;
}

/** Where payloads lie, as far as the chain can be followed. */
export function partsOf(message: Uint8Array): readonly Part[] {
  const parts: Part[] = [];
  for (let at = HEADER_BYTES; at + 4 <= message.length; ) {
    const length = message[at + 2]! * 256 + message[at + 3]!;
    if (length < 4 || at + length > message.length) break;
    parts.push({ at, length });
    at += length;
  }
  return parts;
}

const put = (bytes: Uint8Array, at: number, size: 1 | 2 | 4, value: number): void => {
  if (at + size > bytes.length) return;
  for (let i = 0; i < size; i++) bytes[at + i] = Math.floor(value / 256 ** (size - 1 - i)) & 255;
};

/** The header's length says what there is; whether it should is the mutations' affair. */
export function fixed(message: Uint8Array): Uint8Array {
  if (message.length >= HEADER_BYTES) put(message, 24, 4, message.length);
  return message;
}

const splice = (bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array =>
  Uint8Array.of(...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove));

/** One mutation; `other` lends its parts. */
function once(message: Uint8Array, other: Uint8Array, random: Numbers): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const parts = partsOf(message);
  const part =
    parts.length > 0 ? pick(parts) : { at: HEADER_BYTES, length: Math.max(4, message.length - HEADER_BYTES) };
  const own = Uint8Array.from(message);
  const inside = (): number => part.at + 4 + below(Math.max(1, part.length - 4));
  switch (below(14)) {
    case 0:
      own[below(own.length)] = below(256);
      return own;
    case 1: {
      const at = below(own.length);
      own[at] = own[at]! ^ (1 << below(8));
      return own;
    }
    case 2:
      put(own, inside(), pick([1, 2, 4]), pick(INTERESTING));
      return own;
    case 3:
      // A length that lies.
      put(own, part.at + 2, 2, pick([...INTERESTING, part.length - 1, part.length + 1]));
      return own;
    case 4:
      put(own, pick([16, ...parts.map(({ at }) => at)]), 1, pick(TYPES));
      return own;
    case 5:
      put(own, 18, 1, pick([34, 35, 36, 37, 38, 43, 44, 0, 255]));
      return own;
    case 6:
      put(own, 19, 1, below(256));
      return own;
    case 7:
      return fixed(own.slice(0, HEADER_BYTES + below(Math.max(1, own.length - HEADER_BYTES))));
    case 8: {
      // Twice the same payload.
      const twin = own.slice(part.at, part.at + part.length);
      return fixed(splice(own, part.at, 0, twin));
    }
    case 9:
      return fixed(splice(own, part.at, part.length, new Uint8Array(0)));
    case 10: {
      // A payload of another message, under whatever type stands here.
      const others = partsOf(other);
      if (others.length === 0) return own;
      const lent = pick(others);
      return fixed(splice(own, part.at, pick([0, part.length]), other.subarray(lent.at, lent.at + lent.length)));
    }
    case 11: {
      // More, or less, inside a payload, its length following.
      const change = below(2) === 0 ? below(40) : -below(Math.max(1, part.length - 4));
      const filling = Uint8Array.from({ length: Math.max(0, change) }, () => below(256));
      const grown = splice(own, part.at + part.length, 0, filling);
      const cut = change < 0 ? splice(grown, part.at + part.length + change, -change, new Uint8Array(0)) : grown;
      put(cut, part.at + 2, 2, part.length + change);
      return fixed(cut);
    }
    case 12: {
      // An inner length or count that lies: substructures of SA, TS, CP have theirs at even places.
      const at = part.at + 4 + 2 * below(Math.max(1, (part.length - 4) >> 1));
      put(own, at, 2, pick([...INTERESTING, part.length, part.length - (at - part.at)]));
      return own;
    }
    default:
      put(own, part.at + 1, 1, pick([0x80, 0x7f, 0xff]));
      return own;
  }
}

/** One to a few mutations of `message`. */
export function mutated(message: Uint8Array, other: Uint8Array, random: Numbers): Uint8Array {
  let result = message;
  for (let left = 1 + Math.floor(random() * random() * 8); left > 0; left--) result = once(result, other, random);
  return result.length > 4096 ? result.slice(0, 4096) : result;
}
