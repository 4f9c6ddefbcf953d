// GRE (RFC 2784) with key and sequence number (RFC 2890), as the control plane reads and writes it.
//
// +-+-+-+-+-----------------+-----+-------------------------------+
// |C| |K|S| Reserved0       | Ver |         Protocol Type         |
// +-+-+-+-+-----------------+-----+-------------------------------+
// |     Checksum (optional)       |       Reserved1 (optional)    |
// +-------------------------------+-------------------------------+
// |                         Key (optional)                        |
// +---------------------------------------------------------------+
// |                    Sequence Number (optional)                 |
// +---------------------------------------------------------------+
import { checksum } from './checksum.ts';
import { isWireError, WireError } from './error.ts';
import { absent, decode, dependent, encode, type Field, rest, struct, u16, u32 } from './field.ts';

/** EtherTypes in the protocol field. */
export const GreProtocol = { IPV4: 0x0800, IPV6: 0x86dd, ETHERNET: 0x6558 } as const;

export interface Gre {
  readonly protocol: number;
  /** A checksum over header and payload is there. */
  readonly checksum: boolean;
  readonly key: number | undefined;
  readonly sequence: number | undefined;
  readonly payload: Uint8Array;
}

const C = 0x8000;
const K = 0x2000;
const S = 0x1000;
/** Bits 1, 4 and 5 without which a packet must be dropped (RFC 2784 §2.3, K and S being given back by RFC 2890). */
const MUST_BE_ZERO = 0x4c00;
const VERSION = 0x0007;
const CHECKSUM_AT = 4;

type Wire = Omit<Gre, 'checksum'> & { readonly sum: number | undefined };

/** Present or not, as a flag says. */
const when = (present: number): Field<number | undefined> =>
  present ? (u32 as Field<number | undefined>) : (absent as Field<number | undefined>);

const gre: Field<Wire & { readonly flags: number }> = struct('GRE header', {
  flags: u16,
  protocol: u16,
  /** Checksum and Reserved1 together. */
  sum: dependent((number) => when(number('flags') & C)),
  key: dependent((number) => when(number('flags') & K)),
  sequence: dependent((number) => when(number('flags') & S)),
  payload: rest,
});

export function decodeGre(input: Uint8Array): Gre | WireError {
  const wire = decode(gre, input);
  if (isWireError(wire)) return wire;
  const { flags, sum, ...others } = wire;
  if (flags & VERSION) return new WireError('version', 'GRE header', 0, 'version 0');
  if (flags & MUST_BE_ZERO) return new WireError('value', 'GRE header', 0, 'reserved bits of zero');
  if (sum !== undefined && checksum(input) !== 0)
    return new WireError('checksum', 'GRE header', CHECKSUM_AT, 'a checksum that verifies');
  return { ...others, checksum: sum !== undefined };
}

export function encodeGre(packet: Gre): Uint8Array {
  const { key, sequence } = packet;
  const flags = (packet.checksum ? C : 0) | (key === undefined ? 0 : K) | (sequence === undefined ? 0 : S);
  const output = encode(gre, { ...packet, flags, sum: packet.checksum ? 0 : undefined });
  if (packet.checksum) new DataView(output.buffer).setUint16(CHECKSUM_AT, checksum(output));
  return output;
}
