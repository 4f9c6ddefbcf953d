// IKE messages: the header and the chain of payloads (RFC 7296 §3.1, §3.2), in the clear. sealed.ts puts them into an Encrypted
// payload and takes them out.
//
//                      1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +---------------------------------------------------------------+
// |                       IKE SA Initiator's SPI                  |
// |                                                               |
// +---------------------------------------------------------------+
// |                       IKE SA Responder's SPI                  |
// |                                                               |
// +---------------+-------+-------+---------------+---------------+
// |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |   flags: 0x08 initiator, 0x10 version, 0x20 response
// +---------------+-------+-------+---------------+---------------+
// |                          Message ID                           |
// +---------------------------------------------------------------+
// |                            Length                             |
// +---------------+-+-------------+-------------------------------+
// | Next Payload  |C|  RESERVED   |         Payload Length        |   generic payload header
// +---------------+-+-------------+-------------------------------+
import { isWireError, WireError } from '../wire/error.ts';
import { type Field, rest, sized, struct, u8, u16, u32, u64 } from '../wire/field.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { kindOf, NO_NEXT_PAYLOAD, PAYLOAD_TYPES, type Payload, specOf, typeOf } from './payload/payload.ts';

/** IANA "IKEv2 Exchange Types". */
export const Exchange = {
  IKE_SA_INIT: 34,
  IKE_AUTH: 35,
  CREATE_CHILD_SA: 36,
  INFORMATIONAL: 37,
  /** RFC 5723. */
  IKE_SESSION_RESUME: 38,
  IKE_INTERMEDIATE: 43,
  IKE_FOLLOWUP_KE: 44,
} as const;
export type ExchangeType = (typeof Exchange)[keyof typeof Exchange];

export interface Header {
  readonly SPIi: bigint;
  /** 0 in the first request. */
  readonly SPIr: bigint;
  readonly exchange: ExchangeType;
  /** The sender is the original initiator of the IKE SA. */
  readonly initiator: boolean;
  readonly response: boolean;
  readonly messageId: number;
}

export interface Message {
  readonly header: Header;
  readonly payloads: readonly Payload[];
  /** It came inside an Encrypted payload whose tag verified, or in fragments whose tags all did. */
  readonly protected: boolean;
  /** Of a received IKE_INTERMEDIATE only: what AUTH covers of it, IntAuth_*A | IntAuth_*P (RFC 9242 §3.3.2). */
  readonly intAuth?: Uint8Array;
}

/** Which piece of a message an Encrypted Fragment payload holds; numbers count from 1 (RFC 7383 §2.5). */
export interface FragmentNumber {
  readonly number: number;
  readonly total: number;
}

export const HEADER_BYTES = 28;
export const GENERIC_HEADER_BYTES = 4;
const NEXT_PAYLOAD_AT = 16;
const VERSION = 0x20;
const FLAG_INITIATOR = 0x08;
const FLAG_RESPONSE = 0x20;
const FLAG_CRITICAL = 0x80;
/** Layer name in errors. */
export const HEADER = 'IKE header';
export const CHAIN = 'IKE payloads';

const wireHeader = struct(HEADER, {
  SPIi: u64,
  SPIr: u64,
  next: u8,
  version: u8,
  exchange: u8,
  flags: u8,
  messageId: u32,
  length: u32,
});

const EXCHANGES: ReadonlySet<number> = new Set(Object.values(Exchange));
const isExchange = (value: number): value is ExchangeType => EXCHANGES.has(value);

/** "IKE_AUTH". */
export function exchangeName(exchange: ExchangeType): string {
  switch (exchange) {
    case Exchange.IKE_SA_INIT:
      return 'IKE_SA_INIT';
    case Exchange.IKE_AUTH:
      return 'IKE_AUTH';
    case Exchange.CREATE_CHILD_SA:
      return 'CREATE_CHILD_SA';
    case Exchange.INFORMATIONAL:
      return 'INFORMATIONAL';
    case Exchange.IKE_SESSION_RESUME:
      return 'IKE_SESSION_RESUME';
    case Exchange.IKE_INTERMEDIATE:
      return 'IKE_INTERMEDIATE';
    case Exchange.IKE_FOLLOWUP_KE:
      return 'IKE_FOLLOWUP_KE';
  }
}

/**
 * The header of a whole datagram. Its length must be the datagram's; a major version above 2 gives the code `version`
 * (answer INVALID_MAJOR_VERSION, RFC 7296 §2.5), an exchange that we do not know the code `value`.
 */
export function decodeHeader(bytes: Uint8Array): Header | WireError {
  const read = readHeader(new Reader(bytes, HEADER), bytes.length);
  return isWireError(read) ? read : read.header;
}

export function readHeader(reader: Reader, length: number): { header: Header; next: number } | WireError {
  const wire = wireHeader.decode(reader);
  if (isWireError(wire)) return wire;
  if (wire.version >> 4 !== VERSION >> 4)
    return new WireError('version', HEADER, 17, `version 2, got ${wire.version >> 4}`);
  if (wire.length !== length)
    return new WireError('length', HEADER, 24, `the length of the datagram, ${length}, got ${wire.length}`);
  if (!isExchange(wire.exchange))
    return new WireError('value', HEADER, 18, `a known exchange type, got ${wire.exchange}`);
  return {
    next: wire.next,
    header: {
      SPIi: wire.SPIi,
      SPIr: wire.SPIr,
      exchange: wire.exchange,
      initiator: (wire.flags & FLAG_INITIATOR) !== 0,
      response: (wire.flags & FLAG_RESPONSE) !== 0,
      messageId: wire.messageId,
    },
  };
}

/** A payload of a type, behind its generic header (RFC 7296 §3.2). The critical bit of types that we know is ignored. */
const link = (type: number) =>
  struct(CHAIN, { next: u8, flags: u8, body: sized(u16, GENERIC_HEADER_BYTES, bodyOf(type)) });

const bodyOf = (type: number): Field<Payload | Uint8Array> => {
  const kind = kindOf(type);
  return kind ? (specOf(kind) as Field<Payload | Uint8Array>) : (rest as Field<Payload | Uint8Array>);
};

interface Chain {
  readonly payloads: readonly Payload[];
  /** An Encrypted payload at the end: the type of the first payload inside. */
  readonly inside: number;
  /** Where the type of the last payload is, and where its generic header starts. */
  readonly typeAt: number;
  readonly lastAt: number;
}

const isSealed = (type: number): boolean => type === PAYLOAD_TYPES.encrypted || type === PAYLOAD_TYPES.fragment;

/** Payloads up to the end of the reader, `first` being the type of the first. */
export function readChain(reader: Reader, first: number): Chain | WireError {
  const payloads: Payload[] = [];
  let typeAt = NEXT_PAYLOAD_AT;
  let lastAt = reader.offset;
  for (let type = first; type !== NO_NEXT_PAYLOAD; ) {
    if (payloads.length > 0) typeAt = lastAt;
    lastAt = reader.offset;
    const read = link(type).decode(reader);
    if (isWireError(read)) return read;
    const { next, flags, body } = read;
    payloads.push(
      body instanceof Uint8Array
        ? { kind: 'unknown', type, critical: (flags & FLAG_CRITICAL) !== 0, data: body }
        : body,
    );
    if (isSealed(type)) {
      // RFC 7296 §3.14: it must be the last; its "next payload" is the first one inside.
      if (reader.remaining > 0) return reader.fail('length', 'the Encrypted payload to be the last');
      return { payloads, inside: next, typeAt, lastAt };
    }
    type = next;
  }
  if (reader.remaining > 0)
    return reader.fail('length', `no bytes behind the last payload, ${reader.remaining} are left`);
  return { payloads, inside: NO_NEXT_PAYLOAD, typeAt, lastAt };
}

export const firstType = (payloads: readonly Payload[]): number =>
  payloads[0] ? typeOf(payloads[0]) : NO_NEXT_PAYLOAD;

export const chainLength = (payloads: readonly Payload[]): number =>
  payloads.reduce((sum, payload) => sum + GENERIC_HEADER_BYTES + bodyLength(payload), 0);

const bodyLength = (payload: Payload): number =>
  payload.kind === 'unknown' ? payload.data.length : specOf(payload.kind).length(payload);

/** `after`: the type of what follows behind them. */
export function writeChain(writer: Writer, payloads: readonly Payload[], after = NO_NEXT_PAYLOAD): void {
  payloads.forEach((payload, i) => {
    const type = typeOf(payload);
    const next = payloads[i + 1];
    const critical = payload.kind === 'unknown' && payload.critical;
    link(type).encode(
      {
        next: next ? typeOf(next) : after,
        flags: critical ? FLAG_CRITICAL : 0,
        body: payload.kind === 'unknown' ? payload.data : payload,
      },
      writer,
    );
  });
}

export function writeHeader(writer: Writer, header: Header, next: number, length: number): void {
  wireHeader.encode(
    {
      SPIi: header.SPIi,
      SPIr: header.SPIr,
      next,
      version: VERSION,
      exchange: header.exchange,
      flags: (header.initiator ? FLAG_INITIATOR : 0) | (header.response ? FLAG_RESPONSE : 0),
      messageId: header.messageId,
      length,
    },
    writer,
  );
}

/** A message in the clear; an Encrypted payload in it stays shut. The bytes are copied. */
export function decodeMessage(bytes: Uint8Array): Message | WireError {
  const own = Uint8Array.from(bytes);
  const reader = new Reader(own, HEADER);
  const head = readHeader(reader, own.length);
  if (isWireError(head)) return head;
  const chain = readChain(reader, head.next);
  if (isWireError(chain)) return chain;
  return { header: head.header, payloads: chain.payloads, protected: false };
}

/** Of the answer to a connection's first request; `SPIr` is 0 while nothing is kept of it. */
export function answerHeader({ SPIi, exchange }: Header, SPIr: bigint): Header {
  return { SPIi, SPIr, exchange, initiator: false, response: true, messageId: 0 };
}

/** A message in the clear. Values that do not fit their fields throw. */
export function encodeMessage(header: Header, payloads: readonly Payload[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + chainLength(payloads));
  const writer = new Writer(bytes);
  writeHeader(writer, header, firstType(payloads), bytes.length);
  writeChain(writer, payloads);
  return bytes;
}

/** Which fragment a datagram is, before any key has been tried on it; undefined: it is none, or malformed. */
export function fragmentOf(bytes: Uint8Array): FragmentNumber | undefined {
  const message = decodeMessage(bytes);
  const last = isWireError(message) ? undefined : message.payloads.at(-1);
  return last?.kind === 'fragment' ? { number: last.number, total: last.total } : undefined;
}
