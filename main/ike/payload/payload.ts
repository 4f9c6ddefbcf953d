// Every payload by its number (IANA "IKEv2 Payload Types") and kind, and the type that is all of them.
import type { Field, TypeOf } from '../../wire/field.ts';
import { auth } from './auth.ts';
import { cert } from './cert.ts';
import { certreq } from './certreq.ts';
import { cp } from './cp.ts';
import { deletion } from './delete.ts';
import { eap } from './eap.ts';
import { encrypted, fragment } from './encrypted.ts';
import { idi, idr } from './id.ts';
import { ke } from './ke.ts';
import { nonce } from './nonce.ts';
import { notify } from './notify.ts';
import { puzzle } from './puzzle.ts';
import { sa } from './sa.ts';
import { tsi, tsr } from './ts.ts';
import type { Unknown } from './unknown.ts';
import { vendor } from './vendor.ts';

export const SPECS = {
  sa,
  ke,
  idi,
  idr,
  cert,
  certreq,
  auth,
  nonce,
  notify,
  delete: deletion,
  vendor,
  tsi,
  tsr,
  encrypted,
  cp,
  eap,
  fragment,
  puzzle,
} as const;

export type KnownKind = keyof typeof SPECS;
export type KnownPayload = { [K in KnownKind]: TypeOf<(typeof SPECS)[K]> }[KnownKind];
export type Payload = KnownPayload | Unknown;
export type PayloadKind = Payload['kind'];
/** The payload of one kind: PayloadOf<'ke'>. */
export type PayloadOf<K extends PayloadKind> = Extract<Payload, { readonly kind: K }>;

/** Payload type numbers (RFC 7296 §3.2; 53: RFC 7383; 54: RFC 8019). */
export const PAYLOAD_TYPES: { readonly [K in KnownKind]: number } = {
  sa: 33,
  ke: 34,
  idi: 35,
  idr: 36,
  cert: 37,
  certreq: 38,
  auth: 39,
  nonce: 40,
  notify: 41,
  delete: 42,
  vendor: 43,
  tsi: 44,
  tsr: 45,
  encrypted: 46,
  cp: 47,
  eap: 48,
  fragment: 53,
  puzzle: 54,
};

/** No payload follows. */
export const NO_NEXT_PAYLOAD = 0;

const KINDS: ReadonlyMap<number, KnownKind> = new Map(
  Object.entries(PAYLOAD_TYPES).map(([kind, type]) => [type, kind as KnownKind]),
);

export const kindOf = (type: number): KnownKind | undefined => KINDS.get(type);

export const typeOf = (payload: Payload): number =>
  payload.kind === 'unknown' ? payload.type : PAYLOAD_TYPES[payload.kind];

/** The field that reads and writes payloads of a kind. */
export const specOf = (kind: KnownKind): Field<KnownPayload> => SPECS[kind] as Field<KnownPayload>;

/** All payloads of a kind, in order. */
export function payloadsOf<K extends PayloadKind>(payloads: readonly Payload[], kind: K): PayloadOf<K>[] {
  return payloads.filter((payload): payload is PayloadOf<K> => payload.kind === kind);
}

/** The first payload of a kind. */
export function payloadOf<K extends PayloadKind>(payloads: readonly Payload[], kind: K): PayloadOf<K> | undefined {
  return payloads.find((payload): payload is PayloadOf<K> => payload.kind === kind);
}
