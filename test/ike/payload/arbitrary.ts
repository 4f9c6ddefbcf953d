// Any payload, for round trips and mutations.
import * as fc from 'fast-check';
import type { Proposal } from '../../../main/crypto/transform.ts';
import type { Identity } from '../../../main/ike/identity.ts';
import type { Payload, PayloadKind } from '../../../main/ike/payload/payload.ts';
import { compareAddresses } from '../../../main/wire/address.ts';
import type { Selector } from '../../../main/wire/selector.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });
const exactly = (length: number) => bytes(length, length);
const data = bytes(40);

const attribute = fc.record({ type: fc.nat(0x7fff), value: fc.oneof(u16, bytes(8)) });
const transform = fc.record({ type: u8, id: u16, attributes: fc.array(attribute, { maxLength: 3 }) });
const proposal: fc.Arbitrary<Proposal> = fc.record({
  number: u8,
  protocol: u8,
  spi: fc.oneof(exactly(0), exactly(4), exactly(8), bytes(255)),
  transforms: fc.array(transform, { maxLength: 5 }),
});

const text = fc.string({ unit: 'binary', maxLength: 20 });
export const identities: fc.Arbitrary<Identity> = fc.oneof(
  fc.record({ type: fc.constant('ipv4' as const), address: exactly(4) }),
  fc.record({ type: fc.constant('ipv6' as const), address: exactly(16) }),
  fc.record({ type: fc.constantFrom('fqdn' as const, 'rfc822' as const), text }),
  fc.record({ type: fc.constantFrom('key-id' as const, 'der-dn' as const, 'der-gn' as const), bytes: data }),
);

const selectorOf = (addressBytes: number): fc.Arbitrary<Selector> =>
  fc
    .record({ protocol: u8, startPort: u16, endPort: u16, start: exactly(addressBytes), end: exactly(addressBytes) })
    .map((value) =>
      compareAddresses(value.start, value.end) <= 0 ? value : { ...value, start: value.end, end: value.start },
    );
const selectors = fc.array(fc.oneof(selectorOf(4), selectorOf(16)), { maxLength: 4 });

const is = <K extends PayloadKind>(kind: K) => fc.constant(kind);

export const PAYLOADS: { readonly [K in PayloadKind]: fc.Arbitrary<Payload> } = {
  sa: fc.record({ kind: is('sa'), proposals: fc.array(proposal, { maxLength: 3 }) }),
  ke: fc.record({ kind: is('ke'), method: u16, data }),
  idi: fc.record({ kind: is('idi'), identity: identities }),
  idr: fc.record({ kind: is('idr'), identity: identities }),
  cert: fc.record({ kind: is('cert'), encoding: u8, data }),
  certreq: fc.record({ kind: is('certreq'), encoding: u8, data }),
  auth: fc.record({ kind: is('auth'), method: u8, data }),
  nonce: fc.record({ kind: is('nonce'), data: bytes(256, 16) }),
  notify: fc.record({ kind: is('notify'), protocol: u8, spi: bytes(8), type: u16, data }),
  delete: fc.oneof(
    fc.record({ kind: is('delete'), protocol: fc.constantFrom(2, 3), spis: fc.array(u32, { maxLength: 4 }) }),
    fc.record({ kind: is('delete'), protocol: fc.constant(1), spis: fc.constant([]) }),
  ),
  vendor: fc.record({ kind: is('vendor'), data }),
  tsi: fc.record({ kind: is('tsi'), selectors }),
  tsr: fc.record({ kind: is('tsr'), selectors }),
  encrypted: fc.record({ kind: is('encrypted'), body: data }),
  puzzle: fc.record({
    kind: is('puzzle'),
    data: fc
      .array(exactly(4), { minLength: 1, maxLength: 8 })
      .map((keys) => Uint8Array.from(keys.flatMap((key) => [...key]))),
  }),
  cp: fc.record({
    kind: is('cp'),
    type: fc.constantFrom('request' as const, 'reply' as const, 'set' as const, 'ack' as const),
    attributes: fc.array(fc.record({ type: fc.nat(0x7fff), value: bytes(20) }), { maxLength: 4 }),
  }),
  eap: fc.record({ kind: is('eap'), data }),
  fragment: fc
    .record({ kind: is('fragment'), number: fc.integer({ min: 1, max: 65535 }), total: u16, body: data })
    .map((value) => ({ ...value, total: Math.max(value.total, value.number) })),
  unknown: fc.record({
    kind: is('unknown'),
    type: fc.oneof(fc.integer({ min: 1, max: 32 }), fc.integer({ min: 55, max: 255 })),
    critical: fc.boolean(),
    data,
  }),
};

/** Payloads that may stand anywhere in a message, that is not Encrypted ones. */
export const anyPayload: fc.Arbitrary<Payload> = fc.oneof(
  ...Object.entries(PAYLOADS)
    .filter(([kind]) => kind !== 'encrypted' && kind !== 'fragment')
    .map(([, arbitrary]) => arbitrary),
);

/** As decode gives it back: identities come with the bytes that they were read from. */
export function withoutRaw(payload: Payload): Payload {
  if (payload.kind !== 'idi' && payload.kind !== 'idr') return payload;
  const { kind, identity } = payload;
  return { kind, identity } as Payload;
}
