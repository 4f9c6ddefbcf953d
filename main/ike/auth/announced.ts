// What a peer says in IKE_SA_INIT about how it authenticates: settled there, used in IKE_AUTH.
import { SIGNATURE_HASHES_OFFERED } from '../../crypto/signature.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import { concat } from '../keymat.ts';
import { notifiedIn, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { CERT_X509 } from '../payload/cert.ts';
import { type Payload, payloadsOf } from '../payload/payload.ts';
import type { ResponderAuthentication } from '../responder-config.ts';

export interface Announced {
  /** SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4); undefined: it does not know authentication method 14. */
  readonly hashes: readonly number[] | undefined;
  /** RFC 4739. */
  readonly multipleAuth: boolean;
  /** RFC 8784. */
  readonly usePpk: boolean;
  /** RFC 6023. */
  readonly childless: boolean;
  /** RFC 5685 §3: an initiator that may be sent to another gateway. */
  readonly takesRedirects: boolean;
  /** SHA-1 hashes of public keys of authorities out of its CERTREQs for X.509 (RFC 7296 §3.7). */
  readonly authorities: readonly Uint8Array[];
}

export const NOTHING_ANNOUNCED: Announced = {
  hashes: undefined,
  multipleAuth: false,
  usePpk: false,
  childless: false,
  takesRedirects: false,
  authorities: [],
};

/** Out of the payloads of the peer's IKE_SA_INIT. */
export function announcedIn(payloads: readonly Payload[]): Announced {
  const hashes = notifiedIn(payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS);
  return {
    hashes: hashes && readHashes(hashes),
    multipleAuth: says(payloads, NotifyType.MULTIPLE_AUTH_SUPPORTED),
    usePpk: says(payloads, NotifyType.USE_PPK),
    childless: says(payloads, NotifyType.CHILDLESS_IKEV2_SUPPORTED),
    takesRedirects: says(payloads, NotifyType.REDIRECT_SUPPORTED) || says(payloads, NotifyType.REDIRECTED_FROM),
    authorities: requestedAuthorities(payloads),
  };
}

/** Hashes of SubjectPublicKeyInfo, 20 bytes each, of every CERTREQ for X.509 certificates. */
export function requestedAuthorities(payloads: readonly Payload[]): readonly Uint8Array[] {
  return payloadsOf(payloads, 'certreq')
    .filter(({ encoding }) => encoding === CERT_X509)
    .flatMap(({ data }) =>
      Array.from({ length: Math.floor(data.length / 20) }, (_, i) => data.slice(20 * i, 20 * (i + 1))),
    );
}

/** 16-bit numbers one after the other (RFC 7427 §4); an odd byte at the end is nobody's. */
function readHashes(data: Uint8Array): readonly number[] {
  return Array.from({ length: data.length >> 1 }, (_, i) => data[2 * i]! * 256 + data[2 * i + 1]!);
}

/** SIGNATURE_HASH_ALGORITHMS with what we verify. */
export const hashesPayload = (): Payload =>
  notifyWith(
    NotifyType.SIGNATURE_HASH_ALGORITHMS,
    Uint8Array.from(SIGNATURE_HASHES_OFFERED.flatMap((hash) => [hash >>> 8, hash & 0xff])),
  );

export function notifyWith(type: number, data: Uint8Array = new Uint8Array(0), protocol = 0): Payload {
  return { kind: 'notify', protocol, type, spi: new Uint8Array(0), data };
}

/** What the initiator announces in IKE_SA_INIT. */
export function initiatorAnnouncements(
  config: Pick<InitiatorConfig, 'credential' | 'second' | 'remoteAuthentication' | 'ppk'>,
): readonly Payload[] {
  const ways = [config.credential, config.second?.credential, config.remoteAuthentication];
  return [
    ...(ways.some((way) => way?.kind === 'signature') ? [hashesPayload()] : []),
    ...(config.ppk ? [notifyWith(NotifyType.USE_PPK)] : []),
  ];
}

/** IKE's number as a protocol: RFC 6023 §4 wants it in its notify. */
const IKE = 1;

/** What the responder answers to that. */
export function responderAnnouncements(rules: ResponderAuthentication, peer: Announced): readonly Payload[] {
  const takesSignatures = rules.rounds.flat().includes('signature');
  const signatures = takesSignatures || rules.credential.kind === 'signature';
  return [
    ...(takesSignatures ? [{ kind: 'certreq' as const, encoding: CERT_X509, data: concat(...rules.authorities) }] : []),
    ...(signatures && peer.hashes ? [hashesPayload()] : []),
    ...(rules.rounds.length > 1 ? [notifyWith(NotifyType.MULTIPLE_AUTH_SUPPORTED)] : []),
    ...(rules.ppk && peer.usePpk ? [notifyWith(NotifyType.USE_PPK)] : []),
    ...(rules.childless ? [notifyWith(NotifyType.CHILDLESS_IKEV2_SUPPORTED, undefined, IKE)] : []),
  ];
}
