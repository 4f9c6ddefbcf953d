// Security Association payload (RFC 7296 §3.3): proposals, their transforms, and the transforms' attributes.
//
//                      1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +---------------+---------------+-------------------------------+
// | Last Substruc |   RESERVED    |         Proposal Length       |   proposal (§3.3.1), last = 0, more = 2
// +---------------+---------------+---------------+---------------+
// | Proposal Num  |  Protocol ID  |    SPI Size   |Num  Transforms|
// +---------------+---------------+---------------+---------------+
// ~                        SPI (variable)                         ~
// +---------------------------------------------------------------+
// ~                        <Transforms>                           ~
// +---------------+---------------+-------------------------------+
// | Last Substruc |   RESERVED    |        Transform Length       |   transform (§3.3.2), last = 0, more = 3
// +---------------+---------------+-------------------------------+
// |Transform Type |   RESERVED    |          Transform ID         |
// +---------------+---------------+-------------------------------+
// |A|      Attribute Type         |    AF=0  Attribute Length     |   attribute (§3.3.5)
// |F|                             |    AF=1  Attribute Value      |
// +-+-----------------------------+-------------------------------+
// ~                   AF=0  Attribute Value                       ~
// +---------------------------------------------------------------+
//
// Transforms of types and numbers that we do not know are kept: the proposal is then simply not chosen, or (ADDKE1 to
// ADDKE7, types 6 to 12) chosen for its other transforms by who understands them.
import type { Attribute, Proposal, Transform } from '../../crypto/transform.ts';
import { isWireError } from '../../wire/error.ts';
import {
  bytes,
  dependent,
  derived,
  type Field,
  list,
  map,
  reserved,
  rest,
  sized,
  struct,
  tagged,
  u8,
  u16,
} from '../../wire/field.ts';

const AF = 0x8000;

const attribute: Field<Attribute> = map(
  struct('transform attribute', {
    head: u16,
    value: dependent((number): Field<number | Uint8Array> => (number('head') & AF ? numberValue : bytesValue)),
  }),
  ({ head, value }) => ({ type: head & ~AF, value }),
  ({ type, value }) => ({ head: typeof value === 'number' ? type | AF : type, value }),
);

const mismatch = (): never => {
  throw new TypeError('the attribute head says otherwise');
};
const numberValue: Field<number | Uint8Array> = map(
  u16,
  (value): number | Uint8Array => value,
  (value) => (typeof value === 'number' ? value : mismatch()),
);
const bytesValue: Field<number | Uint8Array> = map(
  sized(u16, 0, rest),
  (value): number | Uint8Array => value,
  (value) => (typeof value === 'number' ? mismatch() : value),
);

/** Items that each say whether another follows: `more`, or 0 in the last; then a length that counts from there. */
const chain = <T>(more: number, item: Field<T>): Field<readonly T[]> => {
  const body = sized(u16, 4, item);
  return {
    length: (values) => values.reduce((sum, value) => sum + 2 + body.length(value), 0),
    encode(values, writer) {
      values.forEach((value, i) => {
        writer.uint(1, i === values.length - 1 ? 0 : more);
        writer.zeros(1);
        body.encode(value, writer);
      });
    },
    decode(reader) {
      const values: T[] = [];
      while (reader.remaining > 0) {
        const at = reader.offset;
        const last = reader.uint(1);
        if (isWireError(last)) return last;
        if (last !== 0 && last !== more) return reader.fail('value', `0 or ${more}, got ${last}`, at);
        const zero = reader.uint(1);
        if (isWireError(zero)) return zero;
        const value = body.decode(reader);
        if (isWireError(value)) return value;
        values.push(value);
        if ((last === 0) !== (reader.remaining === 0))
          return reader.fail('length', last === 0 ? 'no bytes behind the last item' : 'another item', at);
      }
      return values;
    },
  };
};

/** A list whose length was announced in front of it. */
const announced = <T>(items: Field<readonly T[]>, count: number): Field<readonly T[]> => ({
  length: (values) => items.length(values),
  encode: (values, writer) => items.encode(values, writer),
  decode(reader) {
    const at = reader.offset;
    const values = items.decode(reader);
    if (isWireError(values) || values.length === count) return values;
    return reader.fail('length', `${count} items, got ${values.length}`, at);
  },
});

const transform: Field<Transform> = struct('transform', {
  type: u8,
  reserved: reserved(1),
  id: u16,
  attributes: list(attribute),
});

export const proposal: Field<Proposal> = struct('proposal', {
  number: u8,
  protocol: u8,
  spiSize: derived(u8, (whole: Proposal) => whole.spi.length),
  count: derived(u8, (whole: Proposal) => whole.transforms.length),
  spi: dependent((number) => bytes(number('spiSize'))),
  transforms: dependent((number) => announced(chain(3, transform), number('count'))),
});

export const sa = tagged('sa', struct('SA payload', { proposals: chain(2, proposal) }));
