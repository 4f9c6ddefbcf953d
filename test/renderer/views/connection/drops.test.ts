// Every counter of the packet core is either a packet that went on, or a drop that each language has words for.
import { describe, expect, it } from 'vitest';
import { COUNTERS_BY_NAME } from '../../../../main/core/counters.ts';
import { isKey } from '../../../../renderer/i18n/translate.ts';
import { dropsOf } from '../../../../renderer/views/connection/drops.tsx';

describe('drops', () => {
  const names = Object.keys(COUNTERS_BY_NAME);

  it('have words, each of them', () => {
    const drops = dropsOf(Object.fromEntries(names.map((name) => [name, 1])));
    expect(drops.length).toBeGreaterThan(30);
    expect(drops.map(({ name }) => name).filter((name) => !isKey(`drop.${name}`))).toEqual([]);
  });

  it('come most first, without what went on and without zeros', () => {
    expect(dropsOf({ inPackets: 9, outCut: 4, inMerged: 5, inAuthFailed: 2, outTooBig: 7, inEcn: 0 })).toEqual([
      { name: 'outTooBig', packets: 7 },
      { name: 'inAuthFailed', packets: 2 },
    ]);
  });
});
