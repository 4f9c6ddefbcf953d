// Messages inside an Encrypted payload (RFC 7296 §3.14; AEADs: RFC 5282) or an Encrypted Fragment payload (RFC 7383 §2.5), and
// what AUTH covers of IKE_INTERMEDIATE (RFC 9242 §3.3.2). protection.ts has the keys, fragment.ts cuts messages up and puts them
// together.
import type { RandomBytes } from '../crypto/random.ts';
import { isWireError, WireError } from '../wire/error.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import {
  CHAIN,
  chainLength,
  Exchange,
  type FragmentNumber,
  firstType,
  GENERIC_HEADER_BYTES,
  HEADER,
  HEADER_BYTES,
  type Header,
  type Message,
  readChain,
  readHeader,
  writeChain,
  writeHeader,
} from './message.ts';
import { PAYLOAD_TYPES, type Payload } from './payload/payload.ts';
import type { Protection } from './protection.ts';

const LENGTH_AT = 24;
const FRAGMENT_NUMBER_BYTES = 4;

/** Why a protected message could not be opened. */
export class OpenError extends WireError {
  /**
   * false: nobody with the keys said this, drop it silently (RFC 7296 §2.21.4). true: the tag verified and what is inside
   * is malformed, answer INVALID_SYNTAX and give the SA up (§2.21.3).
   */
  readonly authentic: boolean;
  /** The header, where it could be read. */
  readonly header: Header | undefined;

  constructor(error: WireError, authentic: boolean, header?: Header) {
    super(error.code, error.layer, error.offset, error.expected);
    this.authentic = authentic;
    this.header = header;
  }
}

/** What is inside an Encrypted payload, as one string: a message's fragments split it anywhere (RFC 7383 §2.5). */
export interface Content {
  /** The type of the first payload. */
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** A datagram whose tag verified: a message or a fragment of one, its content not read yet. */
export interface Opened {
  readonly header: Header;
  /** Payloads in front of the sealed one. */
  readonly clear: readonly Payload[];
  readonly fragment: FragmentNumber | undefined;
  readonly content: Content;
  /** The message up to the end of the sealed payload's generic header, as it came. */
  readonly front: Uint8Array;
  /** Where in `front` the type of the sealed payload is. */
  readonly typeAt: number;
}

/** The payloads as the content of an Encrypted payload. */
export function contentOf(payloads: readonly Payload[]): Content {
  const bytes = new Uint8Array(chainLength(payloads));
  writeChain(new Writer(bytes), payloads);
  return { first: firstType(payloads), bytes };
}

/**
 * A message whose payloads are all inside one Encrypted payload. `iv` is the source of IVs; fixed bytes are for
 * published test vectors only, since a repeated IV ruins an AEAD's key.
 */
export function sealMessage(
  header: Header,
  payloads: readonly Payload[],
  protection: Protection,
  iv: RandomBytes | Uint8Array,
): Uint8Array {
  const content = contentOf(payloads);
  const bytes = sealContent(header, content, protection, iv);
  content.bytes.fill(0);
  return bytes;
}

/**
 * Content in an Encrypted payload, or with `fragment` in an Encrypted Fragment payload (RFC 7383 §2.5). `clear`: payloads in front
 * of it, which anybody can read.
 */
export function sealContent(
  header: Header,
  content: Content,
  protection: Protection,
  iv: RandomBytes | Uint8Array,
  fragment?: FragmentNumber,
  clear: readonly Payload[] = [],
): Uint8Array {
  const { encr, integ, SK_e, SK_a } = protection;
  const plaintext = new Uint8Array(sealedLength(content.bytes.length, protection));
  const inner = new Writer(plaintext);
  inner.bytes(content.bytes);
  const padding = plaintext.length - content.bytes.length - 1;
  inner.zeros(padding);
  inner.uint(1, padding);

  const clearBytes = chainLength(clear);
  const bytes = new Uint8Array(clearBytes + messageBytes(content.bytes.length, protection, fragment !== undefined));
  const writer = new Writer(bytes);
  const sealedType = fragment ? PAYLOAD_TYPES.fragment : PAYLOAD_TYPES.encrypted;
  writeHeader(writer, header, clear.length > 0 ? firstType(clear) : sealedType, bytes.length);
  writeChain(writer, clear, sealedType);
  writer.uint(1, content.first);
  writer.uint(1, 0);
  writer.uint(2, bytes.length - HEADER_BYTES - clearBytes);
  if (fragment) {
    writer.uint(2, fragment.number);
    writer.uint(2, fragment.total);
  }
  const usedIv = iv instanceof Uint8Array ? iv : protection.nextIv(iv);
  // Associated data: everything in front of the IV (RFC 5282 §5.1; of a fragment too, RFC 7383 §2.5).
  const aad = bytes.subarray(0, writer.offset);
  writer.bytes(usedIv);
  writer.bytes(encr.seal(SK_e, usedIv, plaintext, aad));
  plaintext.fill(0);
  if (integ) writer.bytes(integ.sign(SK_a, bytes.subarray(0, writer.offset)));
  return bytes;
}

/** Content with its padding: the padding length byte is there with every cipher (RFC 5282 §3), padding only with block ciphers. */
const sealedLength = (contentBytes: number, { encr }: Protection): number =>
  Math.ceil((contentBytes + 1) / encr.blockBytes) * encr.blockBytes;

/** Bytes of the IKE message that seals so much content. */
export function messageBytes(contentBytes: number, protection: Protection, inFragment: boolean): number {
  const front = HEADER_BYTES + GENERIC_HEADER_BYTES + (inFragment ? FRAGMENT_NUMBER_BYTES : 0);
  return front + protection.encr.ivBytes + sealedLength(contentBytes, protection) + protection.icvBytes;
}

/** The most content that a fragment of at most `most` bytes has room for; 0 or less: none. */
export function fragmentContentBytes(most: number, protection: Protection): number {
  const { encr, icvBytes } = protection;
  const room = most - HEADER_BYTES - GENERIC_HEADER_BYTES - FRAGMENT_NUMBER_BYTES - encr.ivBytes - icvBytes;
  return Math.floor(room / encr.blockBytes) * encr.blockBytes - 1;
}

/** Checks the tag of a message's Encrypted payload, then reads what is inside. */
export function openMessage(bytes: Uint8Array, protection: Protection): Message | OpenError {
  const opened = openContent(bytes, protection);
  if (isWireError(opened)) return opened;
  if (opened.fragment)
    return new OpenError(new WireError('value', CHAIN, HEADER_BYTES, 'a whole message'), false, opened.header);
  return readOpened(opened);
}

/** Checks the tag of an Encrypted or Encrypted Fragment payload. */
export function openContent(bytes: Uint8Array, protection: Protection): Opened | OpenError {
  // Zeros would still verify, and anybody could have made it.
  if (protection.isWiped)
    return new OpenError(new WireError('integrity', 'SK payload', 0, 'an IKE SA that is not over'), false);
  const own = Uint8Array.from(bytes);
  const reader = new Reader(own, HEADER);
  const head = readHeader(reader, own.length);
  if (isWireError(head)) return new OpenError(head, false);
  const { header } = head;
  const chain = readChain(reader, head.next);
  if (isWireError(chain)) return new OpenError(chain, false, header);
  const sealed = chain.payloads.at(-1);
  if (sealed?.kind !== 'encrypted' && sealed?.kind !== 'fragment')
    return new OpenError(new WireError('value', CHAIN, HEADER_BYTES, 'an Encrypted payload'), false, header);

  const start = own.length - sealed.body.length;
  const fail = (code: 'length' | 'integrity', expected: string, authentic: boolean): OpenError =>
    new OpenError(new WireError(code, 'SK payload', start, expected), authentic, header);
  const plaintext = openBody(own, start, protection);
  if (typeof plaintext === 'string') return fail(plaintext, 'an integrity checksum that verifies', false);
  const padding = plaintext.at(-1) ?? 0;
  if (padding + 1 > plaintext.length) return fail('length', `at least ${padding + 1} bytes of padding`, true);
  return {
    header,
    clear: chain.payloads.slice(0, -1),
    fragment: sealed.kind === 'fragment' ? { number: sealed.number, total: sealed.total } : undefined,
    content: { first: chain.inside, bytes: plaintext.subarray(0, plaintext.length - padding - 1) },
    front: own.subarray(0, chain.lastAt + GENERIC_HEADER_BYTES),
    typeAt: chain.typeAt,
  };
}

/** The payloads of an opened message; of one put together from fragments, with the first fragment's everything but its content. */
export function readOpened(opened: Opened): Message | OpenError {
  const { header, clear, content } = opened;
  const inner = readChain(new Reader(content.bytes, CHAIN), content.first);
  if (isWireError(inner)) return new OpenError(inner, true, header);
  const message = { header, payloads: [...clear, ...inner.payloads], protected: true };
  return header.exchange === Exchange.IKE_INTERMEDIATE ? { ...message, intAuth: receivedIntAuth(opened) } : message;
}

/** RFC 9242 §3.3.2: the message as it would be whole, without IV, padding and checksum, its two lengths saying so. */
function receivedIntAuth({ front, typeAt, content }: Opened): Uint8Array {
  const octets = new Uint8Array(front.length + content.bytes.length);
  octets.set(front);
  octets.set(content.bytes, front.length);
  const view = new DataView(octets.buffer);
  view.setUint8(typeAt, PAYLOAD_TYPES.encrypted);
  view.setUint32(LENGTH_AT, octets.length);
  view.setUint16(front.length - 2, GENERIC_HEADER_BYTES + content.bytes.length);
  return octets;
}

/** The same octets of an IKE_INTERMEDIATE that we send. */
export function intAuthOctets(header: Header, payloads: readonly Payload[]): Uint8Array {
  const { first, bytes: content } = contentOf(payloads);
  const bytes = new Uint8Array(HEADER_BYTES + GENERIC_HEADER_BYTES + content.length);
  const writer = new Writer(bytes);
  writeHeader(writer, header, PAYLOAD_TYPES.encrypted, bytes.length);
  writer.uint(1, first);
  writer.uint(1, 0);
  writer.uint(2, GENERIC_HEADER_BYTES + content.length);
  writer.bytes(content);
  return bytes;
}

/** Plaintext with its padding, of a body that starts at `start` and ends the message. */
function openBody(bytes: Uint8Array, start: number, protection: Protection): Uint8Array | 'length' | 'integrity' {
  const { encr, integ, SK_e, SK_a, icvBytes } = protection;
  const cipherStart = start + encr.ivBytes;
  const icvStart = bytes.length - icvBytes;
  const cipherBytes = icvStart - cipherStart;
  if (cipherBytes < 1 || cipherBytes % encr.blockBytes) return 'length';
  // Before decryption: a padding oracle needs a message that was never authenticated.
  if (integ && !integ.verify(SK_a, bytes.subarray(icvStart), bytes.subarray(0, icvStart))) return 'integrity';
  const iv = bytes.subarray(start, cipherStart);
  const sealed = bytes.subarray(cipherStart, integ ? icvStart : bytes.length);
  return encr.open(SK_e, iv, sealed, bytes.subarray(0, start)) ?? 'integrity';
}
