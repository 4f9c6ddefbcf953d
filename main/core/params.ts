// Writes the parameter blocks of assembly/layout.ts: what configureTunnel and install* read at PARAMS. Checks everything on
// the way, for the core itself checks no argument.
import {
  CIPHER_AES_CBC,
  CIPHER_AES_CTR,
  CIPHER_AES_GCM,
  CIPHER_CHACHA20_POLY1305,
  CIPHER_NULL,
  CIPHER_NULL_AES_GMAC,
  DF_CLEAR,
  DF_COPY,
  DF_SET,
  GRE_CHECKSUM,
  GRE_KEY,
  GRE_SEQUENCE,
  INTEGRITY_HMAC_SHA1_96,
  INTEGRITY_HMAC_SHA2_256_128,
  INTEGRITY_HMAC_SHA2_384_192,
  INTEGRITY_HMAC_SHA2_512_256,
  INTEGRITY_NONE,
  PARAMS,
  SA_CIPHER,
  SA_ESN,
  SA_HARD_BYTES,
  SA_HARD_PACKETS,
  SA_INTEGRITY,
  SA_INTEGRITY_KEY,
  SA_INTEGRITY_KEY_LENGTH,
  SA_KEY,
  SA_KEY_LENGTH,
  SA_SALT,
  SA_SOFT_BYTES,
  SA_SOFT_PACKETS,
  SA_SPI,
  SA_TUNNEL,
  SA_WINDOW,
  SELECTOR_BYTES,
  SELECTOR_END,
  SELECTOR_END_PORT,
  SELECTOR_FAMILY,
  SELECTOR_PROTOCOL,
  SELECTOR_START,
  SELECTOR_START_PORT,
  SELECTORS,
  SHAPE_ESP_TUNNEL,
  SHAPE_GRE_PLAIN,
  SHAPE_GRE_TRANSPORT,
  SHAPE_GRE_TUNNEL,
  TUNNEL_COPY_DSCP,
  TUNNEL_DELIVERY_FAMILY,
  TUNNEL_DELIVERY_LOCAL,
  TUNNEL_DELIVERY_REMOTE,
  TUNNEL_GRE_FLAGS,
  TUNNEL_GRE_KEY,
  TUNNEL_GRE_NEXT,
  TUNNEL_LOCAL_COUNT,
  TUNNEL_MSS4,
  TUNNEL_MSS6,
  TUNNEL_MTU,
  TUNNEL_OUTER_DF,
  TUNNEL_PARAMS_BYTES,
  TUNNEL_REMOTE_COUNT,
  TUNNEL_SELECTORS,
  TUNNEL_SHAPE,
  TUNNEL_TTL,
} from '../../assembly/layout.ts';
import type { Address } from '../wire/address.ts';
import type { Selector } from '../wire/selector.ts';
import type {
  EspCipher,
  EspIntegrity,
  InboundSaParams,
  OutboundSaParams,
  OuterDf,
  Shape,
  TunnelParams,
} from './api.ts';

const SHAPES: Readonly<Record<Shape, number>> = {
  'gre-transport': SHAPE_GRE_TRANSPORT,
  'gre-tunnel': SHAPE_GRE_TUNNEL,
  'esp-tunnel': SHAPE_ESP_TUNNEL,
  'gre-plain': SHAPE_GRE_PLAIN,
};

const OUTER_DF: Readonly<Record<OuterDf, number>> = { set: DF_SET, clear: DF_CLEAR, copy: DF_COPY };

interface CipherFacts {
  readonly id: number;
  /** Lengths in bytes. */
  readonly keys: readonly number[];
  readonly salt: 0 | 4;
  /** Brings its own integrity. */
  readonly aead: boolean;
  /** For tests only where false. */
  readonly encrypts: boolean;
}

const AES_KEYS = [16, 24, 32];
const CIPHERS: Readonly<Record<EspCipher, CipherFacts>> = {
  'aes-gcm-16': { id: CIPHER_AES_GCM, keys: AES_KEYS, salt: 4, aead: true, encrypts: true },
  'chacha20-poly1305': { id: CIPHER_CHACHA20_POLY1305, keys: [32], salt: 4, aead: true, encrypts: true },
  'aes-cbc': { id: CIPHER_AES_CBC, keys: AES_KEYS, salt: 0, aead: false, encrypts: true },
  'aes-ctr': { id: CIPHER_AES_CTR, keys: AES_KEYS, salt: 4, aead: false, encrypts: true },
  null: { id: CIPHER_NULL, keys: [0], salt: 0, aead: false, encrypts: false },
  'null-aes-gmac': { id: CIPHER_NULL_AES_GMAC, keys: AES_KEYS, salt: 4, aead: true, encrypts: false },
};

const INTEGRITIES: Readonly<Record<EspIntegrity, { readonly id: number; readonly key: number }>> = {
  'hmac-sha1-96': { id: INTEGRITY_HMAC_SHA1_96, key: 20 },
  'hmac-sha2-256-128': { id: INTEGRITY_HMAC_SHA2_256_128, key: 32 },
  'hmac-sha2-384-192': { id: INTEGRITY_HMAC_SHA2_384_192, key: 48 },
  'hmac-sha2-512-256': { id: INTEGRITY_HMAC_SHA2_512_256, key: 64 },
};

/** RFC 791: every host takes 68 bytes; fragments of less would carry nothing. */
const SMALLEST_MTU = 68;
const U64_MOST = 0xffffffffffffffffn;

/** `value` as a whole number from `least` to `most`; throws a RangeError that names it. */
export function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`core: ${name} is ${value}, but must be a whole number from ${least} to ${most}`);
  return value;
}

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RangeError(`core: ${message}`);
}

/** Addresses as the core compares them: high and low half. */
function writeAddress(view: DataView, at: number, address: Address): void {
  const bytes = new DataView(address.buffer, address.byteOffset, address.byteLength);
  view.setBigUint64(at, address.length === 16 ? bytes.getBigUint64(0) : 0n, true);
  view.setBigUint64(at + 8, address.length === 16 ? bytes.getBigUint64(8) : BigInt(bytes.getUint32(0)), true);
}

function writeSelector(view: DataView, at: number, selector: Selector): void {
  const { start, end } = selector;
  demand(start.length === 4 || start.length === 16, `a selector's address has ${start.length} bytes, not 4 or 16`);
  demand(start.length === end.length, "a selector's first and last address differ in family");
  view.setUint8(at + SELECTOR_FAMILY, start.length === 4 ? 4 : 6);
  view.setUint8(at + SELECTOR_PROTOCOL, whole("a selector's protocol", selector.protocol, 0, 255));
  view.setUint16(at + SELECTOR_START_PORT, whole("a selector's first port", selector.startPort, 0, 65535), true);
  view.setUint16(at + SELECTOR_END_PORT, whole("a selector's last port", selector.endPort, 0, 65535), true);
  writeAddress(view, at + SELECTOR_START, start);
  writeAddress(view, at + SELECTOR_END, end);
}

export function writeTunnel(memory: Uint8Array, params: TunnelParams): void {
  const { gre, delivery, local, remote } = params;
  demand((gre === null) === (params.shape === 'esp-tunnel'), `shape ${params.shape} and gre do not go together`);
  demand(delivery !== null || params.shape !== 'gre-tunnel', 'shape gre-tunnel needs delivery addresses');
  demand(
    delivery === null || params.shape === 'gre-tunnel' || params.shape === 'gre-plain',
    `shape ${params.shape} has no delivery addresses`,
  );
  demand(local.length <= SELECTORS && remote.length <= SELECTORS, `more than ${SELECTORS} selectors on a side`);
  const view = new DataView(memory.buffer, PARAMS, TUNNEL_PARAMS_BYTES);
  memory.fill(0, PARAMS, PARAMS + TUNNEL_PARAMS_BYTES);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  u32(TUNNEL_SHAPE, SHAPES[params.shape]);
  if (gre) {
    const flags =
      (gre.key === null ? 0 : GRE_KEY) | (gre.checksum ? GRE_CHECKSUM : 0) | (gre.sequence ? GRE_SEQUENCE : 0);
    u32(TUNNEL_GRE_FLAGS, flags);
    u32(TUNNEL_GRE_KEY, whole('gre.key', gre.key ?? 0, 0, 0xffffffff));
    u32(TUNNEL_GRE_NEXT, whole('gre.nextSequence', gre.nextSequence, 0, 0xffffffff));
  }
  if (delivery) {
    const { length } = delivery.local;
    demand(length === delivery.remote.length, 'the two delivery addresses differ in family');
    demand(length === 4 || length === 16, `a delivery address has ${length} bytes, not 4 or 16`);
    u32(TUNNEL_DELIVERY_FAMILY, length === 4 ? 4 : 6);
    memory.set(delivery.local, PARAMS + TUNNEL_DELIVERY_LOCAL);
    memory.set(delivery.remote, PARAMS + TUNNEL_DELIVERY_REMOTE);
  }
  u32(TUNNEL_MTU, whole('mtu', params.mtu, SMALLEST_MTU, 65535));
  u32(TUNNEL_MSS4, whole('mss4', params.mss4, 0, 65535));
  u32(TUNNEL_MSS6, whole('mss6', params.mss6, 0, 65535));
  u32(TUNNEL_COPY_DSCP, params.copyDscp ? 1 : 0);
  u32(TUNNEL_OUTER_DF, OUTER_DF[params.outerDf ?? 'set']);
  u32(TUNNEL_TTL, whole('ttl', params.ttl, 1, 255));
  u32(TUNNEL_LOCAL_COUNT, local.length);
  u32(TUNNEL_REMOTE_COUNT, remote.length);
  [...local, ...remote].forEach((selector, i) => {
    writeSelector(view, TUNNEL_SELECTORS + i * SELECTOR_BYTES, selector);
  });
}

/** A limit of the API (a number, Infinity for none) as u64. */
function limit(name: string, value: number): bigint {
  demand(value >= 0, `${name} is ${value}, but must not be negative`);
  if (value >= 2 ** 64) return U64_MOST;
  return BigInt(Math.floor(value));
}

/** Writes the block with the keys; the core takes the keys and zeroes them there. */
export function writeSa(memory: Uint8Array, params: OutboundSaParams | InboundSaParams): void {
  const cipher = CIPHERS[params.cipher];
  demand(
    cipher.encrypts || params.unencrypted === true,
    `${params.cipher} encrypts nothing and is for tests only: it needs the option "unencrypted"`,
  );
  demand(cipher.keys.includes(params.key.length), `${params.cipher} takes no key of ${params.key.length} bytes`);
  demand(
    params.salt.length === cipher.salt,
    `the salt has ${params.salt.length} bytes, ${params.cipher} needs ${cipher.salt}`,
  );
  const integrityKey = params.integrityKey ?? new Uint8Array(0);
  const integrity = params.integrity === undefined ? undefined : INTEGRITIES[params.integrity];
  demand(
    cipher.aead === (integrity === undefined),
    `${params.cipher} ${cipher.aead ? 'has no' : 'needs an'} integrity algorithm beside it`,
  );
  demand(
    integrityKey.length === (integrity?.key ?? 0),
    `the integrity key has ${integrityKey.length} bytes, not ${integrity?.key ?? 0}`,
  );
  const view = new DataView(memory.buffer, PARAMS);
  // RFC 4303 §2.1: 0 is for local use, 1-255 are reserved.
  view.setUint32(SA_SPI, whole('spi', params.spi, 256, 0xffffffff), true);
  view.setUint32(SA_TUNNEL, params.tunnel, true);
  view.setUint32(SA_CIPHER, cipher.id, true);
  view.setUint32(SA_ESN, params.esn ? 1 : 0, true);
  const window = 'replayWindow' in params ? whole('replayWindow', params.replayWindow, 64, 4096) : 0;
  demand(window % 64 === 0, `replayWindow is ${window}, not a multiple of 64`);
  view.setUint32(SA_WINDOW, window, true);
  view.setBigUint64(SA_HARD_PACKETS, limit('hardPackets', params.hardPackets), true);
  view.setBigUint64(SA_HARD_BYTES, limit('hardBytes', params.hardBytes), true);
  view.setBigUint64(SA_SOFT_PACKETS, limit('softPackets', params.softPackets ?? Number.POSITIVE_INFINITY), true);
  view.setBigUint64(SA_SOFT_BYTES, limit('softBytes', params.softBytes ?? Number.POSITIVE_INFINITY), true);
  view.setUint32(SA_KEY_LENGTH, params.key.length, true);
  view.setUint32(SA_INTEGRITY, integrity?.id ?? INTEGRITY_NONE, true);
  view.setUint32(SA_INTEGRITY_KEY_LENGTH, integrityKey.length, true);
  view.setUint32(SA_SALT, 0, true);
  memory.set(params.salt, PARAMS + SA_SALT);
  memory.set(params.key, PARAMS + SA_KEY);
  memory.set(integrityKey, PARAMS + SA_INTEGRITY_KEY);
}
