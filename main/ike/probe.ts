// A question of any size that every IKEv2 responder answers at once and forgets: an IKE_SA_INIT request whose only proposal is
// made of private-use numbers (RFC 7296 §3.3.2), so that NO_PROPOSAL_CHOSEN comes back (§1.2, §3.10.1; a responder under load
// asks for a cookie instead, §2.6, or names a version, §2.5: any answer will do). A Vendor ID payload, which is ignored where it
// is not known (§3.12), makes it as long as wished.
//
// It belongs to no IKE SA: losing it costs no message ID and no retransmission of the SA that is up. It says nothing that is
// secret, and its answer proves nothing but that the packet arrived: for measuring a path, not for believing anybody.
import type { RandomBytes } from '../crypto/random.ts';
import { Exchange, encodeMessage, HEADER_BYTES } from './message.ts';
import type { Payload } from './payload/payload.ts';

/** Private use in every registry of transforms (IANA "IKEv2 Parameters"). */
const PRIVATE_USE = 65_000;
const NONCE_BYTES = 32;
const KE_BYTES = 32;
const SPI_BYTES = 8;
const FLAG_RESPONSE = 0x20;

export interface Probe {
  readonly bytes: Uint8Array;
  /** Whether this datagram is its answer. */
  answeredBy(datagram: Uint8Array): boolean;
}

/** The shortest that can be made. */
export const LEAST_PROBE_BYTES = encode(new Uint8Array(SPI_BYTES).fill(1), (n) => new Uint8Array(n), 0).length;

/** `length`: bytes of the IKE message. Throws RangeError under LEAST_PROBE_BYTES. */
export function pathProbe(length: number, random: RandomBytes): Probe {
  if (length < LEAST_PROBE_BYTES) throw new RangeError(`a probe has at least ${LEAST_PROBE_BYTES} bytes`);
  const SPIi = random(SPI_BYTES);
  // RFC 7296 §3.1: not zero.
  SPIi[0] = (SPIi[0] ?? 0) | 1;
  return {
    bytes: encode(SPIi, random, length - LEAST_PROBE_BYTES),
    answeredBy: (datagram) =>
      datagram.length >= HEADER_BYTES &&
      ((datagram[19] ?? 0) & FLAG_RESPONSE) !== 0 &&
      SPIi.every((byte, i) => datagram[i] === byte),
  };
}

function encode(SPIi: Uint8Array, random: RandomBytes, padding: number): Uint8Array {
  const transforms = [1, 2, 3, 4].map((type) => ({ type, id: PRIVATE_USE, attributes: [] }));
  const payloads: Payload[] = [
    { kind: 'sa', proposals: [{ number: 1, protocol: 1, spi: new Uint8Array(0), transforms }] },
    { kind: 'ke', method: PRIVATE_USE, data: random(KE_BYTES) },
    { kind: 'nonce', data: random(NONCE_BYTES) },
    { kind: 'vendor', data: new Uint8Array(padding) },
  ];
  const view = new DataView(SPIi.buffer, SPIi.byteOffset, SPI_BYTES);
  return encodeMessage(
    {
      SPIi: view.getBigUint64(0),
      SPIr: 0n,
      exchange: Exchange.IKE_SA_INIT,
      initiator: true,
      response: false,
      messageId: 0,
    },
    payloads,
  );
}
