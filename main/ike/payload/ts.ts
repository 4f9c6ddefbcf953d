// Traffic Selector payloads, TSi and TSr (RFC 7296 §3.13).
//
// +---------------+-----------------------------------------------+
// | Number of TSs |                 RESERVED                      |
// +---------------+-----------------------------------------------+
// ~                       <Traffic Selectors>                     ~
// +---------------+---------------+-------------------------------+
// |   TS Type     |IP Protocol ID*|       Selector Length         |   7: IPv4 range, 8: IPv6 range
// +---------------+---------------+-------------------------------+
// |           Start Port*         |           End Port*           |
// +-------------------------------+-------------------------------+
// ~                         Starting Address*                     ~
// +---------------------------------------------------------------+
// ~                         Ending Address*                       ~
// +---------------------------------------------------------------+
//
// Selectors of types that we do not know (FC, security labels) are skipped: they match none of our packets, so leaving
// them out only narrows.
import { type Address, compareAddresses } from '../../wire/address.ts';
import {
  bytes,
  dependent,
  derived,
  type Field,
  map,
  refuse,
  repeat,
  reserved,
  rest,
  sized,
  struct,
  tagged,
  u8,
  u16,
} from '../../wire/field.ts';
import type { Selector } from '../../wire/selector.ts';

const IPV4_ADDR_RANGE = 7;
const IPV6_ADDR_RANGE = 8;

interface Range {
  readonly startPort: number;
  readonly endPort: number;
  readonly start: Address;
  readonly end: Address;
}

const range = (addressBytes: 4 | 16): Field<Range | undefined> =>
  map(
    struct('traffic selector', {
      startPort: u16,
      endPort: u16,
      start: bytes(addressBytes),
      end: bytes(addressBytes),
    }),
    (value) => (compareAddresses(value.start, value.end) <= 0 ? value : refuse('a start address not after the end')),
    known,
  );

const unknownRange: Field<Range | undefined> = map(
  rest,
  () => undefined,
  () => new Uint8Array(0),
);

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a traffic selector without a range cannot be sent');
  return value;
}

const rangeOf = (type: number): Field<Range | undefined> => {
  switch (type) {
    case IPV4_ADDR_RANGE:
      return range(4);
    case IPV6_ADDR_RANGE:
      return range(16);
    default:
      return unknownRange;
  }
};

interface WireSelector {
  readonly protocol: number;
  readonly range: Range | undefined;
}

const selector: Field<WireSelector> = struct('traffic selector', {
  type: derived(u8, (whole: WireSelector) => (whole.range?.start.length === 4 ? IPV4_ADDR_RANGE : IPV6_ADDR_RANGE)),
  protocol: u8,
  range: dependent((number) => sized(u16, 4, rangeOf(number('type')))),
});

const selectors: Field<{ readonly selectors: readonly Selector[] }> = map(
  struct('TS payload', {
    count: derived(u8, (whole: { selectors: readonly WireSelector[] }) => whole.selectors.length),
    reserved: reserved(3),
    selectors: dependent((number) => repeat(selector, number('count'))),
  }),
  (value) => ({
    selectors: value.selectors.flatMap(({ protocol, range }) => (range ? [{ protocol, ...range }] : [])),
  }),
  (value) => ({ selectors: value.selectors.map(({ protocol, ...range }) => ({ protocol, range })) }),
);

export const tsi = tagged('tsi', selectors);
export const tsr = tagged('tsr', selectors);
