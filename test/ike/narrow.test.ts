import fc from 'fast-check';
import { expect, test } from 'vitest';
import { intersect, isSingleAddress, isWithin, narrow, substituteAddress } from '../../main/ike/narrow.ts';
import { formatSelector, type Selector } from '../../main/wire/selector.ts';
import { address, selector } from '../sim/parties.ts';

const text = (selectors: readonly Selector[]): string[] => selectors.map(formatSelector);
const OPAQUE: Selector = { ...selector('10.0.0.1', 17), startPort: 65535, endPort: 0 };

test('intersects protocol, ports and addresses', () => {
  const common = (a: Selector, b: Selector) => {
    const both = intersect(a, b);
    return both && formatSelector(both);
  };
  expect(common(selector('10.0.0.0/8', 47), selector('10.1.0.0/16'))).toBe('10.1.0.0-10.1.255.255[47]');
  expect(common(selector('10.0.0.0/8', 47), selector('10.1.0.0/16', 6))).toBeUndefined();
  expect(common(selector('10.0.0.0/8'), selector('11.0.0.0/8'))).toBeUndefined();
  expect(common(selector('0.0.0.0/0'), selector('::/0'))).toBeUndefined();
  const ports = (startPort: number, endPort: number) => ({ ...selector('10.0.0.1', 6), startPort, endPort });
  expect(common(ports(80, 90), ports(85, 100))).toBe('10.0.0.1[6/85-90]');
  expect(common(ports(80, 84), ports(85, 100))).toBeUndefined();
  expect(common(ports(0, 65535), OPAQUE)).toBeUndefined(); // 6 is not 17
  expect(intersect(selector('10.0.0.1', 17), OPAQUE)).toEqual(OPAQUE);
  expect(intersect({ ...selector('10.0.0.1', 17), startPort: 53, endPort: 53 }, OPAQUE)).toBeUndefined();
});

test('narrows an offer to the policy, in the order of the offer', () => {
  const policy = [selector('10.0.0.0/8'), selector('192.168.0.0/16', 47)];
  expect(text(narrow([selector('0.0.0.0/0', 47)], policy))).toEqual([
    '10.0.0.0-10.255.255.255[47]',
    '192.168.0.0-192.168.255.255[47]',
  ]);
  expect(text(narrow([selector('10.1.2.3', 6), selector('10.0.0.0/8')], policy))).toEqual(['10.0.0.0-10.255.255.255']);
  expect(narrow([selector('172.16.0.0/12')], policy)).toEqual([]);
  expect(narrow([], policy)).toEqual([]);
});

test('single addresses and their substitution', () => {
  expect(isSingleAddress([selector('10.0.0.1', 47), selector('10.0.0.1', 6)])).toBe(true);
  expect(isSingleAddress([selector('10.0.0.1'), selector('10.0.0.2')])).toBe(false);
  expect(isSingleAddress([selector('10.0.0.0/31')])).toBe(false);
  expect(isSingleAddress([])).toBe(false);
  expect(text(substituteAddress([selector('10.0.0.1', 47)], address('192.0.2.9')))).toEqual(['192.0.2.9[47]']);
});

// Small numbers, so that a selector can be held against every packet there is.
const small: fc.Arbitrary<Selector> = fc
  .record({
    protocol: fc.constantFrom(0, 6, 47),
    ports: fc.oneof(fc.constant([0, 65535]), fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))),
    range: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
  })
  .map(({ protocol, ports, range }) => ({
    protocol,
    startPort: Math.min(...ports),
    endPort: Math.max(...ports),
    start: Uint8Array.of(10, 0, 0, Math.min(...range)),
    end: Uint8Array.of(10, 0, 0, Math.max(...range)),
  }));

const packets = [6, 47, 50].flatMap((protocol) =>
  [0, 1, 2, 3, 4, 9].flatMap((port) => [0, 1, 2, 3, 4, 5, 6].map((host) => ({ protocol, port, host }))),
);
const matches = (s: Selector, p: (typeof packets)[number]): boolean =>
  (s.protocol === 0 || s.protocol === p.protocol) &&
  p.port >= s.startPort &&
  p.port <= s.endPort &&
  p.host >= s.start[3]! &&
  p.host <= s.end[3]!;

test('agrees with packet-by-packet matching', () => {
  fc.assert(
    fc.property(fc.array(small, { maxLength: 3 }), fc.array(small, { maxLength: 3 }), (offer, policy) => {
      const narrowed = narrow(offer, policy);
      for (const packet of packets)
        expect(narrowed.some((s) => matches(s, packet))).toBe(
          offer.some((s) => matches(s, packet)) && policy.some((s) => matches(s, packet)),
        );
      for (const one of narrowed) expect(offer.some((offered) => isWithin(one, offered))).toBe(true);
      for (const [i, one] of narrowed.entries())
        expect(narrowed.some((other, j) => i !== j && isWithin(one, other) && !isWithin(other, one))).toBe(false);
    }),
    { seed: Number(process.env.CULVERT_SEED ?? 1) },
  );
});
