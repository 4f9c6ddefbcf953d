// What a certificate must be good for, and how much weakness and sloppiness a profile lets pass.

export interface TrustPolicy {
  /** Take signatures with SHA-1, of certificates and of AUTH (method 1). RFC 8247 §3.2 forbids them. */
  readonly sha1: boolean;
  /** RFC 8247 §3.1.1: below 2048 SHOULD NOT. */
  readonly minimumRsaBits: number;
  /**
   * A host name or mail address may stand in the subject's CN or E alone, where subjectAltName has no name of its kind. RFC 4945
   * §5.1.3.6 forbids what old gateways do; taken with a warning.
   */
  readonly nameInSubject: boolean;
  /**
   * A dNSName such as *.vpn.example.com stands for one more label. RFC 4945 §3.1.2 forbids it; some clouds' gateways show the
   * certificate of their web site. Taken with a warning.
   */
  readonly wildcards: boolean;
}

export const DEFAULT_TRUST_POLICY: TrustPolicy = {
  sha1: false,
  minimumRsaBits: 2048,
  nameInSubject: false,
  wildcards: false,
};

/** For gateways of the age of SHA-1. A profile must ask for it by name. */
export const LEGACY_TRUST_POLICY: TrustPolicy = {
  sha1: true,
  minimumRsaBits: 1024,
  nameInSubject: true,
  wildcards: false,
};

/** What the end entity does with its certificate: be a gateway or a client of IKE, or the server of EAP's TLS. */
export type Purpose = 'gateway' | 'client' | 'tls-server';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const IPSEC_IKE = '1.3.6.1.5.5.7.3.17';
/** Microsoft's and Apple's clients ask for it. */
const IKE_INTERMEDIATE = '1.3.6.1.5.5.8.2.2';
const ANY = '2.5.29.37.0';

/**
 * Extended key usages of which one must be there where the extension is (RFC 4945 §5.1.3.12: ipsecIKE or any). serverAuth and
 * clientAuth are taken too: that is what certificates made for Windows, Apple and strongSwan have.
 */
export const EXTENDED_KEY_USAGES: Readonly<Record<Purpose, readonly string[]>> = {
  gateway: [IPSEC_IKE, ANY, SERVER_AUTH, IKE_INTERMEDIATE],
  client: [IPSEC_IKE, ANY, CLIENT_AUTH, IKE_INTERMEDIATE],
  'tls-server': [SERVER_AUTH, ANY],
};

const USAGE_NAMES: Readonly<Record<string, string>> = {
  [SERVER_AUTH]: 'serverAuth',
  [CLIENT_AUTH]: 'clientAuth',
  [IPSEC_IKE]: 'ipsecIKE',
  [IKE_INTERMEDIATE]: 'iKEIntermediate',
  [ANY]: 'any',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
};

export function extendedKeyUsageName(oid: string): string {
  return USAGE_NAMES[oid] ?? oid;
}
