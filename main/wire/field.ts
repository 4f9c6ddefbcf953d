// A wire format, declared once: a Field says how long a value is, how it is written and how it is read, and a struct of
// fields is a field again. The TypeScript type of the format follows from the declaration (TypeOf).
//
//   const spec = struct('delete', {
//     protocol: u8,
//     spiSize: derived(u8, (d: { spis: readonly number[] }) => (d.spis.length > 0 ? 4 : 0)),
//     count: derived(u16, (d: { spis: readonly number[] }) => d.spis.length),
//     spis: dependent((number) => repeat(u32, number('count'))),
//   });
//
// Decoding returns a WireError for anything that the peer could have sent; encoding throws for what only we can get wrong.
import { isWireError, type WireError, type WireErrorCode } from './error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Field<T> {
  /** Bytes that `encode` writes for the value. */
  length(value: T): number;
  encode(value: T, writer: Writer): void;
  decode(reader: Reader): T | WireError;
}

export type TypeOf<F> = F extends Field<infer T> ? T : never;

const uint = (size: 1 | 2 | 3 | 4): Field<number> => ({
  length: () => size,
  encode: (value, writer) => writer.uint(size, value),
  decode: (reader) => reader.uint(size),
});

/** Unsigned integers, network order. */
export const u8 = uint(1);
export const u16 = uint(2);
export const u24 = uint(3);
export const u32 = uint(4);
export const u64: Field<bigint> = {
  length: () => 8,
  encode: (value, writer) => writer.uint64(value),
  decode: (reader) => reader.uint64(),
};

/** Exactly `count` bytes. */
export const bytes = (count: number): Field<Uint8Array> => ({
  length: () => count,
  encode(value, writer) {
    if (value.length !== count) throw new RangeError(`expected ${count} bytes, got ${value.length}`);
    writer.bytes(value);
  },
  decode: (reader) => reader.take(count),
});

/** All bytes up to the end of what encloses the field. */
export const rest: Field<Uint8Array> = {
  length: (value) => value.length,
  encode: (value, writer) => writer.bytes(value),
  decode: (reader) => reader.rest(),
};

/** A length, counting itself as `overhead` says, and a field that fills exactly that length. */
export const sized = <T>(prefix: Field<number>, overhead: number, inner: Field<T>): Field<T> => ({
  length: (value) => prefix.length(0) + inner.length(value),
  encode(value, writer) {
    prefix.encode(inner.length(value) + overhead, writer);
    inner.encode(value, writer);
  },
  decode(reader) {
    const at = reader.offset;
    const length = prefix.decode(reader);
    if (isWireError(length)) return length;
    if (length < overhead) return reader.fail('length', `a length of at least ${overhead}, got ${length}`, at);
    const within = reader.sub(length - overhead);
    return isWireError(within) ? within : filled(inner, within);
  },
});

/** As many items as there is room for. */
export const list = <T>(item: Field<T>): Field<readonly T[]> => ({
  length: (values) => total(item, values),
  encode(values, writer) {
    for (const value of values) item.encode(value, writer);
  },
  decode(reader) {
    const values: T[] = [];
    while (reader.remaining > 0) {
      const before = reader.remaining;
      const value = item.decode(reader);
      if (isWireError(value)) return value;
      if (reader.remaining === before) return reader.fail('length', 'items that are not empty');
      values.push(value);
    }
    return values;
  },
});

/** Exactly `count` items. */
export const repeat = <T>(item: Field<T>, count: number): Field<readonly T[]> => ({
  length: (values) => total(item, values),
  encode(values, writer) {
    if (values.length !== count) throw new RangeError(`expected ${count} items, got ${values.length}`);
    for (const value of values) item.encode(value, writer);
  },
  decode(reader) {
    const values: T[] = [];
    for (let i = 0; i < count; i++) {
      const value = item.decode(reader);
      if (isWireError(value)) return value;
      values.push(value);
    }
    return values;
  },
});

/** What a format says that its bytes cannot mean; the place in the input is added by the field that refuses it. */
export interface Refusal {
  readonly refuse: WireErrorCode;
  readonly expected: string;
}

export const refuse = (expected: string, code: WireErrorCode = 'value'): Refusal => ({ refuse: code, expected });

/** The same bytes as `inner`, seen as another type. */
export const map = <A, B>(inner: Field<A>, to: (value: A) => B | Refusal, from: (value: B) => A): Field<B> => ({
  length: (value) => inner.length(from(value)),
  encode: (value, writer) => inner.encode(from(value), writer),
  decode(reader) {
    const at = reader.offset;
    const value = inner.decode(reader);
    if (isWireError(value)) return value;
    const seen = to(value);
    return isRefusal(seen) ? reader.fail(seen.refuse, seen.expected, at) : seen;
  },
});

const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'refuse' in value && 'expected' in value;

/** A field that is not there, where numbers in front of it say so. */
export const absent: Field<undefined> = { length: () => 0, encode: () => {}, decode: () => undefined };

/** A field that no bytes can be: where numbers in front of it contradict each other. */
export const impossible = (code: WireErrorCode, expected: string): Field<never> => ({
  length: () => 0,
  encode() {
    throw new RangeError(`cannot be written: expected ${expected}`);
  },
  decode: (reader) => reader.fail(code, expected),
});

// Members of a struct that are not plain fields.

interface Reserved {
  readonly member: 'reserved';
  readonly count: number;
}

interface Derived {
  readonly member: 'derived';
  readonly field: Field<number>;
  readonly from: (whole: never) => number;
}

interface Dependent<T> {
  readonly member: 'dependent';
  readonly choose: (number: (name: string) => number) => Field<T>;
}

/** Bytes that are sent as zero and ignored on receipt. */
export const reserved = (count: number): Reserved => ({ member: 'reserved', count });

/** A number computed from the whole value on encoding, and known to `dependent` fields behind it on decoding. */
export const derived = <W>(field: Field<number>, from: (whole: W) => number): Derived => ({
  member: 'derived',
  field,
  from: from as (whole: never) => number,
});

/** A field whose shape follows from numbers in front of it. */
export const dependent = <T>(choose: (number: (name: string) => number) => Field<T>): Dependent<T> => ({
  member: 'dependent',
  choose,
});

type Member = Field<unknown> | Reserved | Derived | Dependent<unknown>;
type Spec = Readonly<Record<string, Member>>;
type Visible<M> = M extends Dependent<infer T> ? T : M extends Field<infer T> ? T : never;
type StructOf<S> = {
  readonly [K in keyof S as S[K] extends Reserved | Derived ? never : K]: Visible<S[K]>;
};

/** Fields one after another. `layer` names the format in errors. */
export function struct<const S extends Spec>(layer: string, spec: S): Field<StructOf<S>> {
  const members = Object.entries(spec);

  const scope = (numbers: Readonly<Record<string, unknown>>) => (name: string) => {
    const value = numbers[name];
    if (typeof value !== 'number') throw new TypeError(`${layer}: ${name} is not a number in front of this field`);
    return value;
  };
  /** The value and its derived numbers. */
  const completed = (value: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const all: Record<string, unknown> = { ...value };
    for (const [name, member] of members)
      if ('member' in member && member.member === 'derived') all[name] = member.from(value as never);
    return all;
  };
  /** What the member is, once everything in front of it is known; undefined for reserved bytes. */
  const fieldOf = (member: Member, all: Readonly<Record<string, unknown>>): Field<unknown> | undefined => {
    if (!('member' in member)) return member;
    switch (member.member) {
      case 'reserved':
        return undefined;
      case 'derived':
        return member.field;
      case 'dependent':
        return member.choose(scope(all));
    }
  };

  return {
    length(value) {
      const all = completed(value);
      let length = 0;
      for (const [name, member] of members) {
        const field = fieldOf(member, all);
        length += field ? field.length(all[name]) : (member as Reserved).count;
      }
      return length;
    },
    encode(value, writer) {
      const all = completed(value);
      for (const [name, member] of members) {
        const field = fieldOf(member, all);
        if (field) field.encode(all[name], writer);
        else writer.zeros((member as Reserved).count);
      }
    },
    decode(outer) {
      const reader = outer.named(layer);
      const all: Record<string, unknown> = {};
      for (const [name, member] of members) {
        const field = fieldOf(member, all) ?? bytes((member as Reserved).count);
        const value = field.decode(reader);
        if (isWireError(value)) return value;
        all[name] = value;
      }
      for (const [name, member] of members) if ('member' in member && member.member !== 'dependent') delete all[name];
      outer.join(reader);
      return all as StructOf<S>;
    },
  };
}

/** A struct that says in `kind` which format it is; the word is not on the wire. */
export const tagged = <const K extends string, T>(kind: K, inner: Field<T>): Field<{ readonly kind: K } & T> => ({
  length: (value) => inner.length(value),
  encode: (value, writer) => inner.encode(value, writer),
  decode(reader) {
    const value = inner.decode(reader);
    return isWireError(value) ? value : { kind, ...value };
  },
});

/** The value as bytes of its own. */
export function encode<T>(field: Field<T>, value: T): Uint8Array {
  const output = new Uint8Array(field.length(value));
  const writer = new Writer(output);
  field.encode(value, writer);
  if (writer.offset !== output.length)
    throw new RangeError(`${writer.offset} bytes written where ${output.length} were announced`);
  return output;
}

/** The value that fills all of `input`. Byte fields are views of it. */
export function decode<T>(field: Field<T>, input: Uint8Array, layer = 'input'): T | WireError {
  return filled(field, new Reader(input, layer));
}

/** Decodes a field that must use up its reader. */
function filled<T>(field: Field<T>, reader: Reader): T | WireError {
  const value = field.decode(reader);
  if (isWireError(value)) return value;
  return reader.remaining === 0 ? value : reader.fail('length', `the end, ${reader.remaining} bytes are left`);
}

function total<T>(item: Field<T>, values: readonly T[]): number {
  let length = 0;
  for (const value of values) length += item.length(value);
  return length;
}
