// NAT detection (RFC 7296 §2.23): each end hashes the addresses that it believes in; where a hash does not match what arrives,
// a NAT stands between.
import { createHash } from 'node:crypto';
import type { Endpoint } from '../wire/address.ts';
import { sameBytes } from '../wire/bytes.ts';
import { spiBytes } from './keymat.ts';
import type { Message } from './message.ts';
import { notifiesIn, notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';

/** Who is behind a NAT. */
export interface NatSituation {
  readonly local: boolean;
  readonly remote: boolean;
}

export const NO_NAT: NatSituation = { local: false, remote: false };

/** SHA-1 over SPIi | SPIr | address | port. SHA-1 is what the RFC says: it hides nothing and protects nothing here. */
export function natDetectionHash(SPIi: bigint, SPIr: bigint, endpoint: Endpoint): Uint8Array {
  const port = Uint8Array.of(endpoint.port >>> 8, endpoint.port & 0xff);
  const hash = createHash('sha1').update(spiBytes(SPIi)).update(spiBytes(SPIr)).update(endpoint.address).update(port);
  return Uint8Array.from(hash.digest());
}

const matches = (hashes: readonly Uint8Array[], expected: Uint8Array): boolean =>
  hashes.some((hash) => sameBytes(hash, expected));

/**
 * Compares the hashes in a received message with where it came from and where it arrived. undefined: the peer sent none, so
 * it does not do NAT traversal (RFC 7296 §2.23: both notifies or neither).
 */
export function detectNat(received: {
  readonly SPIi: bigint;
  readonly SPIr: bigint;
  /** Data of the NAT_DETECTION_SOURCE_IP notifies (there may be several) and of NAT_DETECTION_DESTINATION_IP. */
  readonly source: readonly Uint8Array[];
  readonly destination: readonly Uint8Array[];
  readonly from: Endpoint;
  readonly local: Endpoint;
}): NatSituation | undefined {
  const { SPIi, SPIr, source, destination, from, local } = received;
  if (source.length === 0 || destination.length === 0) return undefined;
  return {
    remote: !matches(source, natDetectionHash(SPIi, SPIr, from)),
    local: !matches(destination, natDetectionHash(SPIi, SPIr, local)),
  };
}

/** NAT_DETECTION_* of a message from `local` to `remote`. `feignNat`: the hash of a false source, so that both ends believe in a NAT. */
export function natDetection(
  { SPIi, SPIr }: { readonly SPIi: bigint; readonly SPIr: bigint },
  local: Endpoint,
  remote: Endpoint,
  feignNat: boolean,
): readonly Payload[] {
  const source = feignNat ? { address: new Uint8Array(local.address.length), port: 0 } : local;
  return [
    notifyOf(NotifyType.NAT_DETECTION_SOURCE_IP, natDetectionHash(SPIi, SPIr, source)),
    notifyOf(NotifyType.NAT_DETECTION_DESTINATION_IP, natDetectionHash(SPIi, SPIr, remote)),
  ];
}

/** What a message that came from `from` to `local` shows of the NATs on its way; undefined: it has no NAT_DETECTION_*. */
export function natIn(
  { header: { SPIi, SPIr }, payloads }: Message,
  from: Endpoint,
  local: Endpoint,
): NatSituation | undefined {
  const hashes = (type: number) => notifiesIn(payloads, type).map(({ data }) => data);
  return detectNat({
    SPIi,
    SPIr,
    source: hashes(NotifyType.NAT_DETECTION_SOURCE_IP),
    destination: hashes(NotifyType.NAT_DETECTION_DESTINATION_IP),
    from,
    local,
  });
}
