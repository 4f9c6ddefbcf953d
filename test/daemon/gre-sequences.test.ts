import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGreSequences } from '../../main/daemon/gre-sequences.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-gre-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the file of GRE sequence numbers', () => {
  it('keeps a number for each profile, over restarts', () => {
    openGreSequences(directory).save('office', 7);
    openGreSequences(directory).save('lab', 0xffff_ffff);
    const again = openGreSequences(directory);
    expect([again.load('office'), again.load('lab'), again.load('other')]).toEqual([7, 0xffff_ffff, null]);
  });

  it('is for the engine alone, and leaves nothing half-written', () => {
    openGreSequences(directory).save('office', 7);
    expect(readdirSync(directory)).toEqual(['.gre-sequences']);
    expect(statSync(join(directory, '.gre-sequences')).mode & 0o777).toBe(0o600);
  });

  it('moves a number with its profile, and drops it with its profile', () => {
    const numbers = openGreSequences(directory);
    numbers.save('office', 7);
    numbers.save('lab', 9);
    numbers.rename('office', 'work');
    expect([numbers.load('office'), numbers.load('work'), numbers.load('lab')]).toEqual([null, 7, 9]);
    // Nothing of an earlier profile of that name is left, either.
    numbers.rename('unheard-of', 'lab');
    expect(numbers.load('lab')).toBe(null);
    numbers.remove('work');
    numbers.remove('unheard-of');
    expect(readFileSync(join(directory, '.gre-sequences'), 'utf8')).toBe('{}');
  });

  it('damaged, counts as absent', () => {
    for (const text of ['', '{', '[]', '{"office":-1}', '{"office":"7"}', '{"office":4294967296}']) {
      writeFileSync(join(directory, '.gre-sequences'), text);
      expect(openGreSequences(directory).load('office')).toBe(null);
    }
    openGreSequences(directory).save('office', 9);
    expect(openGreSequences(directory).load('office')).toBe(9);
  });
});
