import { describe, expect, it } from 'vitest';
import { coversAddress, coversPrefix, prefixContains } from '../../main/esp/selectors.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { type Selector, selectorOf } from '../../main/wire/selector.ts';

const prefix = (text: string): Prefix => parsePrefix(text)!;
const address = (text: string): Address => parseAddress(text)!;
const gre = selectorOf(prefix('10.0.0.0/8'), 47);
const any = selectorOf(prefix('10.0.0.0/8'));
const tcp80: Selector = { ...selectorOf(prefix('10.0.0.0/8'), 6), startPort: 80, endPort: 80 };

describe('coversAddress', () => {
  it('asks for the address and the protocol both', () => {
    expect(coversAddress([gre], address('10.1.2.3'), 47)).toBe(true);
    expect(coversAddress([gre], address('11.1.2.3'), 47)).toBe(false);
    expect(coversAddress([gre], address('10.1.2.3'), 50)).toBe(false);
    expect(coversAddress([any], address('10.1.2.3'), 47)).toBe(true);
    // Every protocol is more than GRE.
    expect(coversAddress([gre], address('10.1.2.3'), 0)).toBe(false);
    expect(coversAddress([], address('10.1.2.3'), 47)).toBe(false);
  });

  it('takes the first and the last address, and no family for the other', () => {
    expect(coversAddress([any], address('10.0.0.0'), 47)).toBe(true);
    expect(coversAddress([any], address('10.255.255.255'), 47)).toBe(true);
    expect(coversAddress([any], address('9.255.255.255'), 47)).toBe(false);
    expect(coversAddress([any], address('11.0.0.0'), 47)).toBe(false);
    expect(coversAddress([selectorOf(prefix('::/0'))], address('10.0.0.1'), 47)).toBe(false);
  });

  it('does not count a selector for some ports', () => {
    expect(coversAddress([tcp80], address('10.1.2.3'), 6)).toBe(false);
  });
});

describe('coversPrefix', () => {
  it('wants the whole prefix in one selector, with every protocol', () => {
    expect(coversPrefix([any], prefix('10.20.0.0/16'))).toBe(true);
    expect(coversPrefix([any], prefix('10.0.0.0/8'))).toBe(true);
    expect(coversPrefix([any], prefix('10.0.0.0/7'))).toBe(false);
    expect(coversPrefix([gre], prefix('10.20.0.0/16'))).toBe(false);
  });
});

describe('prefixContains', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['10.88.0.2/24', '10.88.0.200/32', true],
    ['0.0.0.0/0', '::/0', false],
    ['::/0', '2001:db8::/32', true],
  ])('%s contains %s: %s', (outer, inner, expected) => {
    expect(prefixContains(prefix(outer), prefix(inner))).toBe(expected);
  });
});
