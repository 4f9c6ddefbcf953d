import { expect, it } from 'vitest';
import { CALL_NAMES, CALLS } from '../../main/ipc/contract.ts';
import * as s from '../../main/ipc/shape.ts';

const Thing = s.object({
  name: s.text(5, 1),
  count: s.optional(s.integer(0, 9)),
  tags: s.list(s.oneOf('a', 'b'), 2),
  note: s.nullable(s.text()),
  more: s.record(s.scalar),
  choice: s.variants('kind', { one: { value: s.number }, two: { flag: s.boolean } }),
});
const right = { name: 'x', tags: ['a'], note: null, more: { 'a/b': 1 }, choice: { kind: 'one', value: 1.5 } };

it('accepts what fits', () => {
  expect(s.checkStrict(Thing, right)).toBeNull();
  expect(s.checkStrict(Thing, { ...right, count: 9, note: 'n', choice: { kind: 'two', flag: false } })).toBeNull();
  expect(s.matches(Thing, right)).toBe(true);
});

it.each<[string, unknown]>([
  ['', null],
  ['', []],
  ['', 'text'],
  ['/name', { ...right, name: '' }],
  ['/name', { ...right, name: 'longer' }],
  ['/name', { ...right, name: undefined }],
  ['/count', { ...right, count: 10 }],
  ['/count', { ...right, count: 1.5 }],
  ['/count', { ...right, count: null }],
  ['/tags', { ...right, tags: ['a', 'b', 'a'] }],
  ['/tags/0', { ...right, tags: ['c'] }],
  ['/tags', { ...right, tags: { length: 0 } }],
  ['/more/a~1b', { ...right, more: { 'a/b': {} } }],
  ['/more/n', { ...right, more: { n: Number.NaN } }],
  ['/choice/kind', { ...right, choice: { kind: 'three' } }],
  ['/choice/kind', { ...right, choice: { kind: 'constructor' } }],
  ['/choice/value', { ...right, choice: { kind: 'one', value: '1' } }],
])('finds what is wrong at %s', (pointer, value) => {
  expect(s.checkStrict(Thing, value)?.pointer).toBe(pointer);
  expect(s.check(Thing, value)?.pointer).toBe(pointer);
});

it('refuses unknown keys of what a client sends, and lets those of an answer be', () => {
  for (const [pointer, value] of [
    ['/extra', { ...right, extra: 1 }],
    ['/choice/flag', { ...right, choice: { kind: 'one', value: 1, flag: true } }],
  ] as const) {
    expect(s.checkStrict(Thing, value)).toEqual({ pointer, message: 'is not known here' });
    expect(s.check(Thing, value)).toBeNull();
  }
  // An own key of this name is data like any other.
  expect(s.checkStrict(Thing, JSON.parse(`{"__proto__":1,${JSON.stringify(right).slice(1)}`))?.pointer).toBe(
    '/__proto__',
  );
});

it('every call of the contract refuses what is not an object of its own', () => {
  for (const name of CALL_NAMES)
    for (const value of [null, [], 7, 'x', { nonsense: 1 }])
      expect(s.checkStrict<unknown>(CALLS[name].params, value), `${name} ${JSON.stringify(value)}`).not.toBeNull();
});
