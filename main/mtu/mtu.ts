// How large an inner packet may be so that what leaves still fits the path: the overhead of every header, in bytes.
//
//   path MTU │ outer IP │ UDP │ ESP header │ IV │ ( GRE delivery │ GRE │ inner packet │ padding │ pad length, next header ) │ ICV
//            │  20/40   │  8  │     8      │    │ └────────────────── a multiple of `align` ──────────────────────────────┘ │
//
// RFC 4303 §2 (ESP), RFC 3948 §2.1 (UDP encapsulation), RFC 2784 and RFC 2890 §2 (GRE). In transport mode the GRE delivery
// header is the outer IP header. Pure arithmetic; who measures the path's MTU is the session.
import type { EspCipher, EspIntegrity, Shape } from '../path/command.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';

/** What a cipher adds to a packet, in bytes. `align`: the encrypted part is padded to a multiple of it (RFC 4303 §2.4). */
export interface CipherOverhead {
  readonly iv: number;
  readonly icv: number;
  readonly align: number;
}

export type CipherName =
  | 'aes-gcm-16'
  | 'chacha20-poly1305'
  | 'aes-ctr-hmac-sha1'
  | 'aes-ctr-hmac-sha2-256'
  | 'aes-ctr-hmac-sha2-384'
  | 'aes-ctr-hmac-sha2-512'
  | 'aes-cbc-hmac-sha1'
  | 'aes-cbc-hmac-sha2-256'
  | 'aes-cbc-hmac-sha2-384'
  | 'aes-cbc-hmac-sha2-512';

/** Where the numbers come from: RFC 4106 §3-5, RFC 7634 §2, RFC 3686 §2.1, RFC 3602 §2-3, RFC 2404, RFC 4868 §2.6. */
export const CIPHER_OVERHEAD: Readonly<Record<CipherName, CipherOverhead>> = {
  'aes-gcm-16': { iv: 8, icv: 16, align: 4 },
  'chacha20-poly1305': { iv: 8, icv: 16, align: 4 },
  'aes-ctr-hmac-sha1': { iv: 8, icv: 12, align: 4 },
  'aes-ctr-hmac-sha2-256': { iv: 8, icv: 16, align: 4 },
  'aes-ctr-hmac-sha2-384': { iv: 8, icv: 24, align: 4 },
  'aes-ctr-hmac-sha2-512': { iv: 8, icv: 32, align: 4 },
  'aes-cbc-hmac-sha1': { iv: 16, icv: 12, align: 16 },
  'aes-cbc-hmac-sha2-256': { iv: 16, icv: 16, align: 16 },
  'aes-cbc-hmac-sha2-384': { iv: 16, icv: 24, align: 16 },
  'aes-cbc-hmac-sha2-512': { iv: 16, icv: 32, align: 16 },
};

const IV: Readonly<Record<EspCipher, number>> = {
  'aes-gcm-16': 8,
  'chacha20-poly1305': 8,
  'aes-cbc': 16,
  'aes-ctr': 8,
  null: 0,
  'null-aes-gmac': 8,
};
const HMAC_ICV: Readonly<Record<EspIntegrity, number>> = {
  'hmac-sha1-96': 12,
  'hmac-sha2-256-128': 16,
  'hmac-sha2-384-192': 24,
  'hmac-sha2-512-256': 32,
};

/** What the transforms of an SA add; the sources as above. */
export function overheadOf(sa: {
  readonly cipher: EspCipher;
  readonly integrity?: EspIntegrity | undefined;
}): CipherOverhead {
  const icv = sa.integrity === undefined ? 16 : HMAC_ICV[sa.integrity];
  return { iv: IV[sa.cipher], icv, align: sa.cipher === 'aes-cbc' ? 16 : 4 };
}

export interface MtuInput {
  /** Largest IP packet that crosses the network between us and the gateway, in bytes. */
  readonly path: number;
  /** Family of the outer IP header. */
  readonly outerFamily: 4 | 6;
  /** ESP in UDP or raw protocol 50; without meaning for `gre-plain`. */
  readonly encapsulation: Encapsulation;
  /** Without meaning for `gre-plain`. */
  readonly cipher: CipherName | CipherOverhead;
  readonly shape: Shape;
  /** The optional fields of the GRE header; null without GRE. */
  readonly gre: { readonly key: number | null; readonly checksum: boolean; readonly sequence: boolean } | null;
  /** Family of the GRE delivery header inside ESP, for `gre-tunnel`; null for the other shapes. */
  readonly deliveryFamily: 4 | 6 | null;
}

export type MtuPartKind =
  | 'outer-ip'
  | 'udp'
  | 'tcp'
  | 'esp'
  | 'iv'
  | 'icv'
  | 'unused'
  | 'esp-trailer'
  | 'gre-delivery'
  | 'gre';

export interface MtuPart {
  readonly kind: MtuPartKind;
  readonly name: string;
  readonly bytes: number;
}

export interface Mtu {
  /** Largest inner packet in bytes. May be too small to use (even negative) where the path is absurd: the caller decides. */
  readonly mtu: number;
  /** TCP's largest segment inside: the MTU without IP and TCP headers (RFC 9293 §3.7.1); at least 0. */
  readonly mss4: number;
  readonly mss6: number;
  /** From the outside to the inside. `path` = their sum + `mtu`, always. */
  readonly parts: readonly MtuPart[];
  /** In plain words, one line. */
  readonly explanation: string;
  /** IPv6 needs 1,280 bytes on every link (RFC 8200 §5). */
  readonly ipv6Allowed: boolean;
}

/** The least MTU of a link that carries IPv6 (RFC 8200 §5). */
export const IPV6_MINIMUM_MTU = 1280;

const IP_HEADER = { 4: 20, 6: 40 } as const;
const UDP_HEADER = 8;
/** With the time stamps that every system sends (RFC 7323 §3.2), and the length of RFC 9329 §3. */
const TCP_ENCAPSULATION = 20 + 12 + 2;
/** SPI and sequence number. */
const ESP_HEADER = 8;
/** Pad length and next header, encrypted with the payload. */
const ESP_TRAILER = 2;
const TCP_HEADER = 20;

/** GRE header: 4 bytes, and 4 more each for checksum, key and sequence number. */
export function greHeaderBytes(gre: NonNullable<MtuInput['gre']>): number {
  return 4 + (gre.checksum ? 4 : 0) + (gre.key === null ? 0 : 4) + (gre.sequence ? 4 : 0);
}

function grePart(input: MtuInput): MtuPart[] {
  const { gre } = input;
  if (!gre) return [];
  const fields = [gre.checksum && 'checksum', gre.key !== null && 'key', gre.sequence && 'sequence number'].filter(
    Boolean,
  );
  return [
    { kind: 'gre', name: fields.length > 0 ? `GRE with ${fields.join(', ')}` : 'GRE', bytes: greHeaderBytes(gre) },
  ];
}

function deliveryPart(input: MtuInput): MtuPart[] {
  if (input.shape !== 'gre-tunnel') return [];
  if (input.deliveryFamily === null) throw new RangeError('gre-tunnel needs the family of its delivery header');
  return [
    { kind: 'gre-delivery', name: `IPv${input.deliveryFamily} header of GRE`, bytes: IP_HEADER[input.deliveryFamily] },
  ];
}

/** Everything around the inner packet. Throws RangeError on a shape whose GRE settings are missing or superfluous. */
export function computeMtu(input: MtuInput): Mtu {
  if ((input.gre === null) !== (input.shape === 'esp-tunnel'))
    throw new RangeError(`${input.shape} ${input.gre ? 'has no' : 'needs'} GRE`);
  const outer: MtuPart = {
    kind: 'outer-ip',
    name: `outer IPv${input.outerFamily} header`,
    bytes: IP_HEADER[input.outerFamily],
  };
  const inside = [...deliveryPart(input), ...grePart(input)];
  if (input.shape === 'gre-plain') return result(input.path, [outer, ...inside]);

  const cipher = typeof input.cipher === 'string' ? CIPHER_OVERHEAD[input.cipher] : input.cipher;
  const around: MtuPart[] = [
    outer,
    ...encapsulationPart(input.encapsulation),
    { kind: 'esp', name: 'ESP header', bytes: ESP_HEADER },
    { kind: 'iv', name: 'ESP initialisation vector', bytes: cipher.iv },
    { kind: 'icv', name: 'ESP integrity check value', bytes: cipher.icv },
  ];
  const room = input.path - sum(around);
  // What is encrypted comes in whole multiples of `align`; what is left over on the path cannot be used.
  const unusable = room - Math.floor(room / cipher.align) * cipher.align;
  return result(input.path, [
    ...around,
    ...(unusable > 0
      ? [{ kind: 'unused' as const, name: `left over (ESP comes in steps of ${cipher.align})`, bytes: unusable }]
      : []),
    { kind: 'esp-trailer', name: 'ESP trailer', bytes: ESP_TRAILER },
    ...inside,
  ]);
}

/** A stream bounds nothing, but a packet that fits one of its segments is not held up by the loss of two (RFC 9329 §9.5). */
function encapsulationPart(encapsulation: Encapsulation): readonly MtuPart[] {
  switch (encapsulation) {
    case 'raw':
      return [];
    case 'udp':
      return [{ kind: 'udp', name: 'UDP encapsulation', bytes: UDP_HEADER }];
    case 'tcp':
      return [{ kind: 'tcp', name: 'TCP encapsulation', bytes: TCP_ENCAPSULATION }];
  }
}

const sum = (parts: readonly MtuPart[]): number => parts.reduce((total, part) => total + part.bytes, 0);

function result(path: number, parts: readonly MtuPart[]): Mtu {
  const mtu = path - sum(parts);
  const ipv6Allowed = mtu >= IPV6_MINIMUM_MTU;
  const terms = parts.map(({ name, bytes }) => ` - ${bytes} (${name})`).join('');
  const note = ipv6Allowed ? '' : `; under ${IPV6_MINIMUM_MTU}, so no IPv6 inside the tunnel`;
  return {
    mtu,
    mss4: Math.max(0, mtu - IP_HEADER[4] - TCP_HEADER),
    mss6: Math.max(0, mtu - IP_HEADER[6] - TCP_HEADER),
    parts,
    explanation: `${path} (path MTU)${terms} = ${mtu}${note}`,
    ipv6Allowed,
  };
}
