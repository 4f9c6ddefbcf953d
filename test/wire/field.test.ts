import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { isWireError, WireError } from '../../main/wire/error.ts';
import {
  bytes,
  decode,
  dependent,
  derived,
  encode,
  type Field,
  impossible,
  list,
  map,
  refuse,
  repeat,
  reserved,
  rest,
  sized,
  struct,
  type TypeOf,
  tagged,
  u8,
  u16,
  u24,
  u32,
  u64,
} from '../../main/wire/field.ts';
import { Reader } from '../../main/wire/reader.ts';
import { Writer } from '../../main/wire/writer.ts';
import { hex, toHex } from '../crypto/hex.ts';

// A made-up format with everything in it.
const item = struct('item', { id: u16, body: sized(u8, 1, rest) });
const thing = tagged(
  'thing',
  struct('thing', {
    count: derived(u8, (whole: { items: readonly unknown[] }) => whole.items.length),
    reserved: reserved(1),
    big: u64,
    size: derived(u8, (whole: { name: Uint8Array }) => whole.name.length),
    word: u24,
    name: dependent((number) => bytes(number('size'))),
    items: dependent((number) => repeat(item, number('count'))),
    numbers: list(u32),
  }),
);
type Thing = TypeOf<typeof thing>;

const bytesOf = (max: number) => fc.uint8Array({ maxLength: max });
const things: fc.Arbitrary<Thing> = fc.record({
  kind: fc.constant('thing' as const),
  big: fc.bigInt(0n, 2n ** 64n - 1n),
  word: fc.nat(2 ** 24 - 1),
  name: bytesOf(255),
  items: fc.array(fc.record({ id: fc.nat(65535), body: bytesOf(254) }), { maxLength: 8 }),
  numbers: fc.array(fc.nat(2 ** 32 - 1), { maxLength: 8 }),
});

const example: Thing = {
  kind: 'thing',
  big: 0x0102030405060708n,
  word: 0xabcdef,
  name: hex('6e616d65'),
  items: [
    { id: 1, body: hex('ff') },
    { id: 2, body: hex('') },
  ],
  numbers: [0xfffffffe],
};
const exampleHex = '02 00 0102030405060708 04 abcdef 6e616d65 0001 02 ff 0002 01 fffffffe'.replaceAll(' ', '');

describe('a struct', () => {
  test('has the type that its declaration says', () => {
    expectTypeOf<Thing>().toEqualTypeOf<
      { readonly kind: 'thing' } & {
        readonly big: bigint;
        readonly word: number;
        readonly name: Uint8Array;
        readonly items: readonly { readonly id: number; readonly body: Uint8Array }[];
        readonly numbers: readonly number[];
      }
    >();
  });

  test('writes and reads its bytes', () => {
    expect(toHex(encode(thing, example))).toBe(exampleHex);
    expect(decode(thing, hex(exampleHex))).toEqual(example);
  });

  test('round trip', () => {
    fc.assert(
      fc.property(things, (value) => {
        const written = encode(thing, value);
        expect(written).toHaveLength(thing.length(value));
        expect(decode(thing, written)).toEqual(value);
      }),
    );
  });

  test('leaves no byte of a dirty buffer', () => {
    fc.assert(
      fc.property(things, (value) => {
        const length = thing.length(value);
        const dirty = new Uint8Array(length + 20).fill(0xa5);
        const writer = new Writer(dirty, 10);
        thing.encode(value, writer);
        expect(writer.offset).toBe(10 + length);
        expect(dirty.subarray(10, 10 + length)).toEqual(encode(thing, value));
        expect([...dirty.subarray(0, 10), ...dirty.subarray(10 + length)]).toEqual(Array(20).fill(0xa5));
      }),
    );
  });

  test('is refused at every length but its own, with a place inside', () => {
    const whole = hex(exampleHex);
    for (let length = 0; length < whole.length; length++) {
      const value = decode(thing, whole.subarray(0, length));
      if (length === whole.length - 4) continue; // a list of none is a list
      expect(isWireError(value)).toBe(true);
      if (isWireError(value)) expect(value.offset).toBeLessThanOrEqual(length);
    }
    expect(decode(thing, Uint8Array.of(...whole, 0))).toMatchObject({ code: 'truncated' });
  });

  test('names the layer and the byte where it goes wrong', () => {
    const bad = hex(exampleHex);
    bad[20] = 0; // length of the first item's body, which counts itself
    expect(decode(thing, bad)).toEqual(new WireError('length', 'item', 20, 'a length of at least 1, got 0'));
    expect(String(decode(thing, bad))).toBe('item: length at byte 20: expected a length of at least 1, got 0');
    bad[20] = 200;
    expect(decode(thing, bad)).toMatchObject({ code: 'truncated', layer: 'item', offset: 21 });
  });

  test('never throws on any bytes', () => {
    fc.assert(
      fc.property(bytesOf(64), (input) => {
        const value = decode(thing, input);
        if (!isWireError(value)) expect(toHex(encode(thing, value)).slice(4)).toBe(toHex(input).slice(4));
      }),
      { numRuns: 1000 },
    );
  });

  test('misuse throws', () => {
    expect(() => encode(thing, { ...example, word: 2 ** 24 })).toThrow(RangeError);
    expect(() => encode(thing, { ...example, word: -1 })).toThrow(RangeError);
    expect(() => encode(thing, { ...example, word: 1.5 })).toThrow(RangeError);
    expect(() => encode(thing, { ...example, big: -1n })).toThrow(RangeError);
    expect(() => encode(thing, { ...example, name: new Uint8Array(256) })).toThrow(RangeError);
    expect(() => encode(thing, { ...example, items: [{ id: 1, body: new Uint8Array(255) }] })).toThrow(RangeError);
    expect(() => thing.encode(example, new Writer(new Uint8Array(10)))).toThrow(RangeError);
    const wrong = struct('wrong', { field: dependent((number) => bytes(number('absent'))) });
    expect(() => decode(wrong, new Uint8Array(4))).toThrow(TypeError);
  });
});

describe('combinators', () => {
  test('integers go up to their last value', () => {
    for (const [field, last] of [
      [u8, 0xff],
      [u16, 0xffff],
      [u24, 0xffffff],
      [u32, 0xffffffff],
    ] as const) {
      expect(decode(field, encode(field, last))).toBe(last);
      expect(() => encode(field, last + 1)).toThrow(RangeError);
    }
    expect(decode(u64, encode(u64, 2n ** 64n - 1n))).toBe(2n ** 64n - 1n);
    expect(() => encode(u64, 2n ** 64n)).toThrow(RangeError);
  });

  test('counts and lengths are held to', () => {
    expect(() => encode(bytes(3), hex('0102'))).toThrow(RangeError);
    expect(() => encode(repeat(u8, 3), [1, 2])).toThrow(RangeError);
    expect(decode(repeat(u8, 3), hex('010203'))).toEqual([1, 2, 3]);
    expect(decode(sized(u16, 0, u8), hex('00020102'))).toMatchObject({ code: 'length' });
  });

  test('a list of empty items ends', () => {
    const empty: Field<Uint8Array> = bytes(0);
    expect(decode(list(empty), hex('00'))).toMatchObject({ code: 'length' });
  });

  test('map can refuse, at the place of what it refuses', () => {
    const even = map(
      u8,
      (value) => (value % 2 ? refuse('an even number') : value / 2),
      (half) => half * 2,
    );
    const pair = struct('pair', { a: even, b: even });
    expect(decode(pair, hex('0204'))).toEqual({ a: 1, b: 2 });
    expect(toHex(encode(pair, { a: 1, b: 2 }))).toBe('0204');
    expect(decode(pair, hex('0203'))).toEqual(new WireError('value', 'pair', 1, 'an even number'));
  });

  test('impossible is', () => {
    expect(decode(impossible('length', 'nothing'), hex(''))).toMatchObject({ code: 'length', expected: 'nothing' });
    const never: Field<unknown> = impossible('length', 'nothing');
    expect(() => encode(never, 0)).toThrow(RangeError);
  });
});

describe('the reader', () => {
  test('moves nothing when it fails', () => {
    const reader = new Reader(hex('010203'), 'test');
    expect(reader.uint(2)).toBe(0x0102);
    expect(isWireError(reader.uint(2))).toBe(true);
    expect(isWireError(reader.uint64())).toBe(true);
    expect(isWireError(reader.take(2))).toBe(true);
    expect(isWireError(reader.sub(2))).toBe(true);
    expect(reader.remaining).toBe(1);
    expect(reader.rest()).toEqual(hex('03'));
    expect(reader.remaining).toBe(0);
  });

  test('sees nothing outside its part', () => {
    const outer = new Reader(hex('0102030405'), 'test');
    outer.uint(1);
    const inner = outer.sub(2);
    if (isWireError(inner)) throw inner;
    expect(isWireError(inner.take(3))).toBe(true);
    expect(inner.rest()).toEqual(hex('0203'));
    expect(outer.rest()).toEqual(hex('0405'));
  });

  test('refuses negative counts', () => {
    expect(() => new Reader(hex('01'), 'test').take(-1)).toThrow(RangeError);
  });
});
