import { describe, expect, test } from 'vitest';
import { Reassembly } from '../../../../main/gateway/host/tcp/reassembly.ts';
import { advance } from '../../../../main/gateway/host/tcp/sequence.ts';
import { seeded } from '../link.ts';

describe('reassembly', () => {
  test('random overlapping pieces, also across 2^32: the stream comes out once, and no byte is kept twice', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const length = 1 + Math.floor(random() * 200);
      const base = random() < 0.5 ? 0xffff_ffff - Math.floor(random() * 100) : Math.floor(random() * 2 ** 32);
      const stream = Uint8Array.from({ length }, () => Math.floor(random() * 256));
      const here = new Set<number>();
      const reassembly = new Reassembly();
      for (let i = 0; i < 40; i++) {
        const from = Math.floor(random() * length);
        const to = Math.min(length, from + 1 + Math.floor(random() * 40));
        reassembly.insert(advance(base, from), stream.subarray(from, to));
        for (let at = from; at < to; at++) here.add(at);
        expect(reassembly.length, `seed ${seed}`).toBe(here.size);
      }
      let next = 0;
      while (next < length) {
        const taken = reassembly.take(advance(base, next));
        if (taken) {
          expect(Buffer.from(taken).equals(stream.subarray(next, next + taken.length)), `seed ${seed}`).toBe(true);
          for (let at = next; at < next + taken.length; at++) expect(here.has(at)).toBe(true);
          next += taken.length;
        } else {
          expect(here.has(next), `seed ${seed}`).toBe(false);
          next++;
        }
      }
      expect(reassembly.take(advance(base, length))).toBeUndefined();
      expect(reassembly.empty).toBe(true);
    }
  });
});
