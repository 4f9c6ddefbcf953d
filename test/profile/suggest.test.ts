import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../main/profile/suggest.ts';

/** The definition itself, without tables: the fewest edits, tried one after the other. */
function slowDistance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const choices = [
    slowDistance(a.slice(1), b) + 1,
    slowDistance(a, b.slice(1)) + 1,
    slowDistance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  ];
  if (a[0] === b[1] && a[1] === b[0] && a.length > 1 && b.length > 1)
    choices.push(slowDistance(a.slice(2), b.slice(2)) + 1);
  return Math.min(...choices);
}

describe('editDistance', () => {
  const words = ['', 'a', 'ab', 'ba', 'abc', 'acb', 'bca', 'routes', 'rotes', 'ruotes', 'roots'];
  it.each(words.flatMap((a) => words.map((b) => [a, b] as const)))('%j to %j', (a, b) => {
    expect(editDistance(a, b)).toBe(slowDistance(a, b));
  });
});

describe('nearest', () => {
  const keys = ['host', 'port', 'nattPort', 'identity'];
  it.each([
    ['hots', 'host'],
    ['Host', 'host'],
    ['natt_port', 'nattPort'],
    ['NATTPORT', 'nattPort'],
    ['identty', 'identity'],
    ['prot', 'port'],
    ['colour', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%j → %j', (typed, meant) => {
    expect(nearest(typed, keys)).toBe(meant);
  });
});
