// The JSON reader against JSON.parse, and its words about mistakes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../main/profile/json.ts';

/** What JSON.parse makes of it; undefined where it is not JSON. */
function oracle(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Objects of the reader have no prototype; compare what they hold. */
const plain = (value: unknown): string => JSON.stringify(value);

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, 2), (compact, indent) => {
        const text = JSON.stringify(JSON.parse(compact), null, indent);
        const result = parseJson(text);
        if ('message' in result) throw new Error(result.message);
        expect(plain(result.value)).toBe(plain(JSON.parse(text)));
      }),
    );
  });

  it('refuses what JSON.parse refuses, whatever is changed', () => {
    const alphabet = ['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '0', '1', '-', '.', 'e', 't', 'u', '\t', '/'];
    let refused = 0;
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('insert', 'delete', 'replace'),
        fc.constantFrom(...alphabet),
        (text, where, how, character) => {
          const at = where % (text.length + 1);
          const changed =
            text.slice(0, at) + (how === 'delete' ? '' : character) + text.slice(how === 'insert' ? at : at + 1);
          const expected = oracle(changed);
          const result = parseJson(changed);
          if ('message' in result) {
            refused++;
            expect(expected).toBeUndefined();
          } else {
            expect(expected).toBeDefined();
            expect(plain(result.value)).toBe(plain(expected?.value));
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it.each([
    ['', 1, 1, /ends where JSON should follow/],
    ['{"a":1,}', 1, 7, /comma before "}" is one too many/],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, /comma or "}" is missing/],
    ['{\n  // note\n  "a": 1 }', 2, 3, /comments/],
    ["{ 'a': 1 }", 1, 3, /key in double quotes/],
    ['{"a": \'x\'}', 1, 7, /double quotes/],
    ['{"a": "x\n"}', 1, 7, /does not end/],
    ['{"a": yes}', 1, 7, /neither a number/],
    ['{"a": 01}', 1, 7, /number is not written/],
    ['{"a" 1}', 1, 6, /colon/],
    ['{"a": "C:\\path"}', 1, 10, /no such escape/],
    ['{"a": 1} x', 1, 10, /more behind the end/],
    ['{"a": 1', 1, 8, /ends where "}" should follow/],
    ['{"a": }', 1, 7, /a value is missing/],
    [`${'['.repeat(100000)}`, 1, 34, /nested too deeply/],
  ])('%j: line %i, column %i', (text, line, column, message) => {
    const result = parseJson(text);
    if (!('message' in result)) throw new Error('accepted');
    expect(result.message).toMatch(message);
    expect([result.line, result.column]).toEqual([line, column]);
  });

  it('finds keys that stand twice, and keeps __proto__ a key', () => {
    const result = parseJson('{"a": [{"b": 1, "c": 2, "b": 3}], "a": 1, "__proto__": {"x": 1}}');
    if ('message' in result) throw new Error(result.message);
    expect(result.repeated).toEqual(['/a/0/b', '/a']);
    expect(Object.keys(result.value as object)).toEqual(['a', '__proto__']);
  });
});
