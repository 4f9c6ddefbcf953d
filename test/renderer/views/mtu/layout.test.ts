// The drawn packet is the engine's arithmetic in the order of the wire, and nothing is lost or made up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MtuPart, MtuView } from '../../../../main/ipc/contract.ts';
import { FAKE_PARTS } from '../../../../main/ipc/fake-data.ts';
import { overheadOf, segmentsOf, totalOf } from '../../../../renderer/views/mtu/layout.ts';

type Sizes = Pick<MtuView, 'parts' | 'value' | 'mode'>;
const parts: readonly MtuPart[] = [...FAKE_PARTS, { kind: 'payload', name: 'inside', bytes: 1414 }];
const of = (changes: Partial<Sizes> = {}): Sizes => ({ parts, value: 1414, mode: 'automatic', ...changes });

describe('segmentsOf', () => {
  it('puts trailer and integrity check value behind the payload, as RFC 4303 §2 has them', () => {
    expect(segmentsOf(of()).map(({ kind }) => kind)).toEqual([
      'outer-ip',
      'udp',
      'esp',
      'iv',
      'gre-delivery',
      'gre',
      'payload',
      'esp-trailer',
      'icv',
    ]);
  });

  it("adds up to the path: DESIGN's AES-GCM over IPv4 with NAT-T", () => {
    const segments = segmentsOf(of());
    expect(totalOf(segments)).toBe(1500);
    expect(overheadOf(segments)).toBe(86);
  });

  it('shows the room that a smaller fixed value leaves', () => {
    const segments = segmentsOf(of({ mode: 'fixed', value: 1400 }));
    expect(segments).toContainEqual({ kind: 'payload', bytes: 1400 });
    expect(segments).toContainEqual({ kind: 'kept', bytes: 14 });
    expect(totalOf(segments)).toBe(1500);
    expect(overheadOf(segments)).toBe(86);
  });

  it('does not draw what is not on the path where the fixed value is too large', () => {
    const segments = segmentsOf(of({ mode: 'fixed', value: 1450 }));
    expect(segments).toContainEqual({ kind: 'payload', bytes: 1414 });
    expect(totalOf(segments)).toBe(1500);
  });

  it('keeps the sum and leaves out what has no bytes, whatever the parts', () => {
    const kinds = ['outer-ip', 'udp', 'iv', 'padding', 'gre', 'icv', 'unused', 'payload'] as const;
    const part = fc.record({ kind: fc.constantFrom(...kinds), name: fc.constant(''), bytes: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(part), fc.nat(2000), (some, value) => {
        const segments = segmentsOf({ parts: some, value, mode: 'fixed' });
        expect(totalOf(segments)).toBe(some.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(segments.every(({ bytes }) => bytes > 0)).toBe(true);
      }),
    );
  });
});
