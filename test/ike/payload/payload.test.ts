import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transform } from '../../../main/crypto/transform.ts';
import { identityBytes } from '../../../main/ike/payload/id.ts';
import {
  type KnownKind,
  kindOf,
  PAYLOAD_TYPES,
  type Payload,
  payloadOf,
  payloadsOf,
  SPECS,
  specOf,
  typeOf,
} from '../../../main/ike/payload/payload.ts';
import { isWireError, type WireError } from '../../../main/wire/error.ts';
import { decode, encode, type Field } from '../../../main/wire/field.ts';
import { Writer } from '../../../main/wire/writer.ts';
import { hex, toHex } from '../../crypto/hex.ts';
import { PAYLOADS, withoutRaw } from './arbitrary.ts';

const KINDS = Object.keys(SPECS) as KnownKind[];
const read = (kind: KnownKind, text: string): Payload | WireError => decode<Payload>(specOf(kind), hex(text));
const write = (payload: Payload): string => {
  if (payload.kind === 'unknown') throw new Error('unknown payloads are written by the message');
  return toHex(encode(specOf(payload.kind), payload));
};

describe.each(KINDS)('%s', (kind) => {
  const spec = specOf(kind) as Field<Payload>;

  test('round trip, into a dirty buffer of the right length', () => {
    fc.assert(
      fc.property(PAYLOADS[kind], (payload) => {
        const length = spec.length(payload);
        const buffer = new Uint8Array(length + 8).fill(0xa5);
        spec.encode(payload, new Writer(buffer, 4));
        expect([...buffer.subarray(0, 4), ...buffer.subarray(4 + length)]).toEqual(Array(8).fill(0xa5));
        const bytes = buffer.slice(4, 4 + length);
        expect(bytes).toEqual(encode(spec, payload));
        const again = decode(spec, bytes);
        if (isWireError(again)) throw new Error(String(again));
        expect(withoutRaw(again)).toEqual(payload);
      }),
    );
  });

  test('never throws when cut at any length', () => {
    fc.assert(
      fc.property(PAYLOADS[kind], (payload) => {
        const bytes = encode(spec, payload);
        for (let length = 0; length < bytes.length; length++) {
          const cut = decode(spec, bytes.subarray(0, length));
          if (!isWireError(cut)) expect(encode(spec, cut).length).toBeLessThanOrEqual(length);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('never throws on any bytes, and writes again what it took', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const payload = decode(spec, bytes);
        if (isWireError(payload)) return;
        const again = decode(spec, encode(spec, payload));
        if (isWireError(again)) throw new Error(String(again));
        expect(withoutRaw(again)).toEqual(withoutRaw(payload));
      }),
      { numRuns: 300 },
    );
  });

  test('has one number', () => {
    expect(kindOf(PAYLOAD_TYPES[kind])).toBe(kind);
  });
});

describe('KE: RFC 5903 §8', () => {
  interface Case {
    readonly source: string;
    readonly group: number;
    readonly gix: string;
    readonly giy: string;
    readonly KEi?: string;
  }
  const cases: readonly Case[] = JSON.parse(readFileSync(new URL('../../vectors/ecp.json', import.meta.url), 'utf8'));
  test.each(cases.filter(({ KEi }) => KEi))('$source', ({ group, gix, giy, KEi }) => {
    const payload: Payload = { kind: 'ke', method: group, data: hex(gix + giy) };
    expect(read('ke', KEi!.slice(8))).toEqual(payload);
    expect(write(payload)).toBe(KEi!.slice(8));
    expect(hex(KEi!)).toHaveLength(specOf('ke').length(payload as never) + 4);
  });
});

describe('SA', () => {
  // RFC 7296 §3.3: one ESP proposal, AES-GCM with a 128-bit key or ChaCha20-Poly1305, 32-bit sequence numbers.
  const bytes = `00 00 0028 01 03 04 03 c0ffee01
                 03 00 000c 01 00 0014 800e 0080
                 03 00 0008 01 00 001c
                 00 00 0008 05 00 0000`;
  const payload: Payload = {
    kind: 'sa',
    proposals: [
      {
        number: 1,
        protocol: 3,
        spi: hex('c0ffee01'),
        transforms: [transform(1, 20, 128), transform(1, 28), transform(5, 0)],
      },
    ],
  };

  test('is written and read', () => {
    expect(write(payload)).toBe(toHex(hex(bytes)));
    expect(read('sa', bytes)).toEqual(payload);
  });

  const changed = (offset: number, value: number): Payload | WireError => {
    const copy = hex(bytes);
    copy[offset] = value;
    return decode<Payload>(specOf('sa'), copy);
  };
  test.each([
    ['a proposal that says another follows', 0, 2, 'length'],
    ['a proposal chain with a strange link', 0, 3, 'value'],
    ['a proposal too long', 3, 0x29, 'truncated'],
    ['a proposal too short', 3, 0x27, 'truncated'],
    ['a proposal shorter than its own header', 3, 3, 'length'],
    ['more transforms announced than there are', 7, 4, 'length'],
    ['fewer transforms announced than there are', 7, 2, 'length'],
    ['an SPI over the end', 6, 200, 'truncated'],
    ['a transform that says it is the last', 12, 0, 'length'],
    ['a transform with a strange link', 12, 2, 'value'],
    ['a last transform that says another follows', 32, 3, 'length'],
    ['a transform shorter than its own header', 15, 3, 'length'],
    ['a transform of a length over the end', 15, 0xff, 'truncated'],
  ])('%s is refused', (_, offset, value, code) => {
    expect(changed(offset, value)).toMatchObject({ code });
  });

  test('attributes of both formats are kept (RFC 7296 §3.3.5)', () => {
    const odd = '00000018 01010001 00000010 01000014 0063 0004 01020304';
    expect(read('sa', odd)).toMatchObject({
      proposals: [{ transforms: [{ attributes: [{ type: 99, value: hex('01020304') }] }] }],
    });
    expect(read('sa', odd.replace('0004', '0005'))).toMatchObject({ code: 'truncated', layer: 'transform attribute' });
  });

  test('additional key exchanges are kept (RFC 9370)', () => {
    const additional = '00000010 01010001 00000008 06000024';
    expect(read('sa', additional)).toMatchObject({ proposals: [{ transforms: [{ type: 6, id: 36 }] }] });
  });

  test('RESERVED is ignored', () => {
    expect(changed(1, 0xff)).toEqual(payload);
    expect(changed(17, 0xff)).toEqual(payload);
  });

  test('many nested items are no matter', () => {
    const transforms = Array.from({ length: 255 }, (_, id) => transform(4, id));
    const big: Payload = {
      kind: 'sa',
      proposals: Array.from({ length: 20 }, (_, i) => ({ number: i, protocol: 1, spi: hex(''), transforms })),
    };
    expect(decode(specOf('sa'), encode(specOf('sa'), big))).toEqual(big);
    const more = { number: 1, protocol: 1, spi: hex(''), transforms: [...transforms, transform(4, 0)] };
    expect(() => write({ kind: 'sa', proposals: [more] })).toThrow(RangeError);
  });
});

describe('ID', () => {
  test.each<[string, Payload]>([
    ['01000000 c0000201', { kind: 'idi', identity: { type: 'ipv4', address: hex('c0000201') } }],
    ['02000000 612e6578616d706c65', { kind: 'idr', identity: { type: 'fqdn', text: 'a.example' } }],
    ['03000000 61406578616d706c65', { kind: 'idi', identity: { type: 'rfc822', text: 'a@example' } }],
    [
      '05000000 20010db8000000000000000000000001',
      { kind: 'idi', identity: { type: 'ipv6', address: hex('20010db8000000000000000000000001') } },
    ],
    ['0b000000 00ff', { kind: 'idr', identity: { type: 'key-id', bytes: hex('00ff') } }],
  ])('%s', (bytes, payload) => {
    expect(write(payload)).toBe(toHex(hex(bytes)));
    expect(read(payload.kind as KnownKind, bytes)).toEqual({ ...payload, raw: hex(bytes) });
  });

  test.each([
    ['01000000 c00002', 'length'],
    ['05000000 c0000201', 'length'],
    ['00000000 00', 'value'],
    ['02000000 ff', 'value'],
    ['010000', 'truncated'],
  ])('%s is refused: %s', (bytes, code) => {
    expect(read('idi', bytes)).toMatchObject({ code });
  });

  test('the bytes for AUTH keep what was received, RESERVED included (RFC 7296 §2.15)', () => {
    const bytes = '02abcdef 61';
    expect(read('idr', bytes)).toMatchObject({ identity: { text: 'a' }, raw: hex(bytes) });
    expect(toHex(identityBytes({ type: 'fqdn', text: 'a' }))).toBe('0200000061');
  });
});

describe('TS', () => {
  const v4 = '07 2f 0010 0000 ffff 0a000000 0affffff';
  const v6 = '08 06 0028 0050 0050 fd000000000000000000000000000001 fd000000000000000000000000000001';

  test('both families', () => {
    expect(read('tsi', `02000000 ${v4} ${v6}`)).toEqual({
      kind: 'tsi',
      selectors: [
        { protocol: 47, startPort: 0, endPort: 65535, start: hex('0a000000'), end: hex('0affffff') },
        {
          protocol: 6,
          startPort: 80,
          endPort: 80,
          start: hex('fd000000000000000000000000000001'),
          end: hex('fd000000000000000000000000000001'),
        },
      ],
    });
  });

  test('types that we do not know are skipped', () => {
    expect(read('tsr', `02000000 09000008 01020304 ${v4}`)).toMatchObject({ selectors: [{ protocol: 47 }] });
    expect(read('tsr', '01000000 0a000004')).toEqual({ kind: 'tsr', selectors: [] });
  });

  test('OPAQUE ports stay as they are (RFC 7296 §3.13.1)', () => {
    const opaque = v4.replace('0000 ffff', 'ffff 0000');
    expect(read('tsi', `01000000 ${opaque}`)).toMatchObject({ selectors: [{ startPort: 65535, endPort: 0 }] });
  });

  test.each([
    ['fewer than announced', `02000000 ${v4}`, 'truncated'],
    ['more than announced', `01000000 ${v4} ${v4}`, 'length'],
    ['an address range backwards', '01000000 07000010 0000ffff 0a000001 0a000000', 'value'],
    ['a length that is not the type’s', '01000000 07000014 0000ffff 0a000000 0affffff 00000000', 'length'],
    ['a length too short for the type', '01000000 0700000c 0000ffff 0a000000', 'truncated'],
    ['a length under its own header', '01000000 07000003', 'length'],
  ])('%s: refused', (_, bytes, code) => {
    expect(read('tsi', bytes)).toMatchObject({ code });
  });
});

describe('NOTIFY, DELETE, CP, NONCE, SKF', () => {
  test('a notify with an SPI', () => {
    const payload: Payload = { kind: 'notify', protocol: 3, spi: hex('01020304'), type: 16393, data: hex('') };
    expect(write(payload)).toBe('0304400901020304');
    expect(read('notify', '0304400901020304')).toEqual(payload);
    expect(read('notify', '0305400901020304')).toMatchObject({ code: 'truncated' });
  });

  test('deletes', () => {
    expect(write({ kind: 'delete', protocol: 1, spis: [] })).toBe('01000000');
    expect(write({ kind: 'delete', protocol: 3, spis: [0x01020304, 0xfffffffe] })).toBe('0304000201020304fffffffe');
    expect(read('delete', '01000001')).toEqual({ kind: 'delete', protocol: 1, spis: [] });
    expect(read('delete', '03080001 0102030405060708')).toMatchObject({ code: 'length' });
    expect(read('delete', '01080001 0102030405060708')).toMatchObject({ code: 'length' });
    // Two SPIs of 8 bytes are not those that half of them would make.
    expect(read('delete', '03080002 0102030405060708')).toMatchObject({ code: 'length' });
    expect(read('delete', '0304ffff 01020304')).toMatchObject({ code: 'truncated' });
    expect(() => write({ kind: 'delete', protocol: 1, spis: [1] })).toThrow(RangeError);
  });

  test('configuration attributes: the reserved bit is ignored, the length is held to', () => {
    const reply = '02000000 8001 0004 0a580001 0003 0000';
    expect(read('cp', reply)).toEqual({
      kind: 'cp',
      type: 'reply',
      attributes: [
        { type: 1, value: hex('0a580001') },
        { type: 3, value: hex('') },
      ],
    });
    expect(read('cp', '05000000')).toMatchObject({ code: 'value' });
    expect(read('cp', '00000000')).toMatchObject({ code: 'value' });
    expect(read('cp', '01000000 0001 0001')).toMatchObject({ code: 'truncated' });
  });

  test('nonces have 16 to 256 bytes (RFC 7296 §3.9)', () => {
    for (const length of [16, 256]) expect(isWireError(read('nonce', '00'.repeat(length)))).toBe(false);
    for (const length of [0, 15, 257]) {
      expect(read('nonce', '00'.repeat(length))).toMatchObject({ code: 'length' });
      expect(() => write({ kind: 'nonce', data: new Uint8Array(length) })).toThrow(RangeError);
    }
  });

  test('fragments count from 1 to their total (RFC 7383 §2.5)', () => {
    expect(read('fragment', '00010002 ff')).toMatchObject({ number: 1, total: 2, body: hex('ff') });
    for (const bad of ['00000002', '00030002', '00000000'])
      expect(read('fragment', bad)).toMatchObject({ code: 'value' });
  });
});

test('payloadOf and payloadsOf pick by kind', () => {
  const payloads: Payload[] = [
    { kind: 'vendor', data: hex('01') },
    { kind: 'unknown', type: 99, critical: false, data: hex('') },
    { kind: 'vendor', data: hex('02') },
  ];
  expect(payloadOf(payloads, 'vendor')?.data).toEqual(hex('01'));
  expect(payloadOf(payloads, 'ke')).toBeUndefined();
  expect(payloadsOf(payloads, 'vendor')).toHaveLength(2);
  expect(payloads.map(typeOf)).toEqual([43, 99, 43]);
});
