// IKE fragmentation (RFC 7383): a message that is too large for the path goes out in several datagrams, each sealed by itself, and
// what comes in such pieces is put together again. IKE_SA_INIT is never cut up: there are no keys yet (§2.2).
//
//   seal ─▶ SealedMessage ──datagrams──▶ exchange.ts sends them, and on time-outs asks for smaller() ones (§2.5.2)
//   datagram ─▶ Reassembly.open ─▶ a whole message as if it had come so, or an OpenError "waiting for the others"
//
// The receiver keeps nothing that is not authentic (§2.6, Appendix A) and never more than a bounded number of bytes.
import type { RandomBytes } from '../crypto/random.ts';
import { isWireError, WireError } from '../wire/error.ts';
import { chainLength, decodeHeader, type FragmentNumber, type Header, type Message } from './message.ts';
import type { Payload } from './payload/payload.ts';
import type { Protection } from './protection.ts';
import {
  type Content,
  fragmentContentBytes,
  messageBytes,
  OpenError,
  type Opened,
  openContent,
  readOpened,
  sealContent,
} from './sealed.ts';
import type { Instant } from './timing.ts';
import type { Transport } from './transport.ts';

/** A message ready to be sent. */
export interface Sealed {
  /** Sent together, in this order. */
  readonly datagrams: readonly Uint8Array[];
  /** The same message for a narrower path (RFC 7383 §2.5.2); undefined: it cannot be cut up, or no smaller. */
  smaller(): Sealed | undefined;
}

/** A message that is never cut up. */
export const whole = (bytes: Uint8Array): Sealed => ({ datagrams: [bytes], smaller: () => undefined });

/**
 * Bytes of IP datagrams, tried downwards (RFC 7383 §2.5.1, §2.5.2): what every IPv6 link carries and nearly every path today,
 * then what the RFC recommends for IPv4. Coarse on purpose: each step costs time-outs.
 */
export const DATAGRAM_SIZES: readonly number[] = [1280, 576];
/** A peer that sends smaller fragments than this does not make ours as small. */
const LEAST_DATAGRAM = 256;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const NON_ESP_MARKER = 4;

/** What stands in front of an IKE message in its IP datagram. */
export const overheadOf = (address: Uint8Array, transport: Transport): number =>
  (address.length === 4 ? IPV4_HEADER : IPV6_HEADER) + UDP_HEADER + (transport === 'natt' ? NON_ESP_MARKER : 0);

/** How large the IP datagrams with an SA's messages may be, as far as the SA has found out. */
export class DatagramSize {
  readonly #sizes: readonly number[];
  #current: number;

  /** `sizes`: the ones to be tried, the largest first. */
  constructor(sizes: readonly number[]) {
    const [largest] = sizes;
    if (largest === undefined) throw new RangeError('at least one datagram size is needed');
    this.#sizes = sizes;
    this.#current = largest;
  }

  get current(): number {
    return this.#current;
  }

  /** The current size and those that may be tried after it. */
  get remaining(): readonly number[] {
    return [this.#current, ...this.below(this.#current)];
  }

  /** The sizes under `size`, the largest first. */
  below(size: number): readonly number[] {
    return this.#sizes.filter((one) => one < size);
  }

  /** From now on datagrams are at most so large. */
  lower(size: number): void {
    this.#current = Math.min(this.#current, Math.max(size, LEAST_DATAGRAM));
  }
}

export interface SealTerms {
  readonly header: Header;
  /** Payloads in front of the sealed one; in fragments only the first has them (RFC 7383 §2.5.3). */
  readonly clear?: readonly Payload[] | undefined;
  readonly content: Content;
  readonly protection: Protection;
  readonly random: RandomBytes;
  readonly size: DatagramSize;
  /** What stands in front of the message in the IP datagram. */
  readonly overhead: number;
}

/** Seals a message, in as many pieces as it needs. */
export const sealInPieces = (terms: SealTerms): Sealed => new SealedMessage(terms, terms.size.current);

class SealedMessage implements Sealed {
  readonly datagrams: readonly Uint8Array[];
  readonly #terms: SealTerms;
  /** The IP datagram size that it was made for. */
  readonly #madeFor: number;

  constructor(terms: SealTerms, size: number) {
    this.#terms = terms;
    this.#madeFor = size;
    const { header, clear, content, protection, random } = terms;
    const total = piecesFor(terms, size);
    if (total === 1) {
      this.datagrams = [sealContent(header, content, protection, random, undefined, clear)];
      return;
    }
    const room = roomFor(terms, size);
    this.datagrams = Array.from({ length: total }, (_, i) => {
      const piece = {
        // RFC 7383 §2.5: only the first says what the first payload is.
        first: i === 0 ? content.first : 0,
        bytes: content.bytes.subarray(i * room, (i + 1) * room),
      };
      return sealContent(header, piece, protection, random, { number: i + 1, total }, i === 0 ? clear : undefined);
    });
  }

  smaller(): Sealed | undefined {
    const { size, protection } = this.#terms;
    // The keys may have been replaced by now (IKE_INTERMEDIATE): what was sealed with the old ones stays as it is.
    if (protection.isWiped) return undefined;
    // RFC 7383 §2.5.2: Total Fragments really grows, or the receiver could not tell the two sets apart.
    const next = size.below(this.#madeFor).find((one) => piecesFor(this.#terms, one) > this.datagrams.length);
    if (next === undefined) return undefined;
    size.lower(next);
    return new SealedMessage(this.#terms, next);
  }
}

/** How many datagrams of `size` bytes a message needs. */
function piecesFor(terms: SealTerms, size: number): number {
  const { content, protection, overhead, clear = [] } = terms;
  const { length } = content.bytes;
  if (messageBytes(length, protection, false) + chainLength(clear) + overhead <= size) return 1;
  const room = roomFor(terms, size);
  if (room < 1) throw new RangeError(`a datagram of ${size} bytes has no room for a fragment`);
  return Math.ceil(length / room);
}

/** Content in each fragment; as much as the first has room for. */
const roomFor = ({ protection, overhead, clear = [] }: SealTerms, size: number): number =>
  fragmentContentBytes(size - overhead - chainLength(clear), protection);

/** Content of one message; more than any certificate chain needs. */
const MOST_CONTENT = 64 * 1024;
const MOST_FRAGMENTS = 1024;
/** Messages under reassembly at once: ours and the peer's, with room for a window of requests. */
const MOST_MESSAGES = 4;
/** RFC 7383 §2.6: about as long as whoever waits for an answer waits. The peer's next retransmission starts again. */
const PATIENCE = 60_000;

interface FragmentSet {
  readonly total: number;
  readonly pieces: Map<number, Opened>;
  /** The first fragment as it came. */
  first: Uint8Array | undefined;
  bytes: number;
  /** Of its datagrams. */
  largest: number;
  lastAt: Instant;
}

/** A message that has come in pieces. */
export interface Reassembled {
  readonly message: Message | OpenError;
  /** The first fragment: only its repetition asks for an answer again (RFC 7383 §2.6.1). */
  readonly first: Uint8Array;
  /** The last one to come. */
  readonly last: Uint8Array;
  /** Bytes of the largest fragment. */
  readonly largest: number;
}

/** Puts together what one peer sends in pieces. Its caller has checked that a message with this ID is expected. */
export class Reassembly {
  /** The one whose last piece came last is last. */
  readonly #sets = new Map<string, FragmentSet>();

  /** Content kept at the moment. */
  get bytes(): number {
    return [...this.#sets.values()].reduce((sum, set) => sum + set.bytes, 0);
  }

  /** Takes a datagram that is such a fragment. An OpenError that is not authentic: dropped, or kept and others are missing. */
  open(
    bytes: Uint8Array,
    { number, total }: FragmentNumber,
    protection: Protection,
    now: Instant,
  ): Reassembled | OpenError {
    this.#expire(now);
    if (total > MOST_FRAGMENTS) return notNow(`at most ${MOST_FRAGMENTS} fragments, got ${total}`);
    const opened = this.#refuse(bytes, number, total) ?? openContent(bytes, protection);
    if (isWireError(opened)) return opened;

    const key = keyOf(opened.header);
    const known = this.#sets.get(key);
    // §2.6: a greater total is the same message cut up anew; the pieces of before are of no use.
    const set = known && known.total === total ? known : emptySet(total, now);
    if (set.bytes + opened.content.bytes.length > MOST_CONTENT) {
      this.#sets.delete(key);
      return notNow(`at most ${MOST_CONTENT} bytes in all fragments`);
    }
    set.pieces.set(number, opened);
    set.bytes += opened.content.bytes.length;
    set.largest = Math.max(set.largest, bytes.length);
    set.lastAt = now;
    if (number === 1) set.first = Uint8Array.from(bytes);
    this.#sets.delete(key);
    if (set.pieces.size < total) {
      this.#keep(key, set);
      return notNow(`the other fragments of the message, ${set.pieces.size} of ${total} are here`);
    }
    return putTogether(set, bytes);
  }

  /** What §2.6 discards before any key is tried: of an earlier cut, or here already. */
  #refuse(bytes: Uint8Array, number: number, total: number): OpenError | undefined {
    const header = decodeHeader(bytes);
    const set = isWireError(header) ? undefined : this.#sets.get(keyOf(header));
    if (!set || total > set.total) return undefined;
    if (total < set.total) return notNow(`a fragment of ${set.total}, got one of ${total}`);
    return set.pieces.has(number) ? notNow(`a new fragment, ${number} of ${total} is here`) : undefined;
  }

  #keep(key: string, set: FragmentSet): void {
    this.#sets.set(key, set);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > MOST_MESSAGES && oldest !== undefined) this.#sets.delete(oldest);
  }

  #expire(now: Instant): void {
    for (const [key, { lastAt }] of this.#sets) if (now - lastAt >= PATIENCE) this.#sets.delete(key);
  }
}

const emptySet = (total: number, now: Instant): FragmentSet => ({
  total,
  pieces: new Map(),
  first: undefined,
  bytes: 0,
  largest: 0,
  lastAt: now,
});

const keyOf = ({ exchange, response, messageId }: Header): string => `${exchange} ${response} ${messageId}`;

function putTogether(set: FragmentSet, last: Uint8Array): Reassembled {
  const pieces = Array.from({ length: set.total }, (_, i) => set.pieces.get(i + 1));
  const [front] = pieces;
  const { first } = set;
  if (!front || !first) throw new Error('a set of fragments without its first');
  const bytes = new Uint8Array(set.bytes);
  let at = 0;
  for (const piece of pieces) {
    if (!piece) throw new Error('a set of fragments with a hole');
    bytes.set(piece.content.bytes, at);
    at += piece.content.bytes.length;
  }
  const content = { first: front.content.first, bytes };
  const message = readOpened({ ...front, fragment: undefined, content });
  return { message, first, last: Uint8Array.from(last), largest: set.largest };
}

/** Nothing to act upon (yet): said in the log and dropped like anything else that is not authentic. */
const notNow = (expected: string): OpenError =>
  new OpenError(new WireError('truncated', 'SKF payload', 0, expected), false);
