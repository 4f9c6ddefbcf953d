import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failureOf, type Question, readQuestion } from '../../../main/net/dns/question.ts';
import { isWireError } from '../../../main/wire/error.ts';

/** Put together by hand after RFC 1035 §4.1: recursion desired, one question, www.Example.test IN A. */
const QUERY = Uint8Array.from(
  Buffer.from('2a4e01200001000000000000037777770745 78616d706c65047465737400 00010001'.replaceAll(' ', ''), 'hex'),
);

const read = (bytes: Uint8Array): Question => {
  const question = readQuestion(bytes);
  if (isWireError(question)) throw new Error(question.toString());
  return question;
};

describe('a DNS question', () => {
  test('of a real query, in lower case', () => {
    expect(read(QUERY)).toEqual({
      id: 0x2a4e,
      response: false,
      name: 'www.example.test',
      key: 'www.example.test 0.1.0.1',
    });
  });

  test('cut anywhere is an error, never an exception', () => {
    for (let length = 0; length < QUERY.length; length++)
      expect(isWireError(readQuestion(QUERY.subarray(0, length)))).toBe(true);
  });

  test('a dot inside a label cannot pass for a border between labels', () => {
    const sly = Uint8Array.from(QUERY);
    sly[18] = 0x2e; // "Example" becomes "E.a\ple": one label, not two
    sly[20] = 0x5c;
    expect(read(sly).name).toContain('\\046');
    expect(read(sly).name).toContain('\\092');
    expect(read(sly).name.split('.')).toHaveLength(3);
  });

  test('a pointer where the first name should be is refused', () => {
    const pointed = Uint8Array.from(QUERY);
    pointed[12] = 0xc0;
    expect(isWireError(readQuestion(pointed))).toBe(true);
  });

  test('any bytes give a question or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const question = readQuestion(bytes);
        if (!isWireError(question)) expect(question.name.length).toBeLessThan(1024);
      }),
    );
  });

  test('SERVFAIL repeats the question', () => {
    const answer = read(failureOf(QUERY));
    expect(answer).toEqual({ ...read(QUERY), response: true });
    expect(failureOf(QUERY)[3]! & 0x0f).toBe(2);
  });

  /** A query for a name of these labels, all of one letter. */
  const queryOf = (...lengths: number[]): Uint8Array =>
    Uint8Array.of(
      ...QUERY.subarray(0, 12),
      ...lengths.flatMap((length) => [length, ...new Uint8Array(length).fill(0x61)]),
      ...[0, 0, 1, 0, 1],
    );

  test('a label has 63 bytes at most, and a name 255 with its lengths (RFC 1035 §2.3.4)', () => {
    expect(read(queryOf(63)).name).toBe('a'.repeat(63));
    expect(isWireError(readQuestion(queryOf(64)))).toBe(true);
    expect(read(queryOf(63, 63, 63, 61)).name).toHaveLength(253);
    expect(isWireError(readQuestion(queryOf(63, 63, 63, 62)))).toBe(true);
  });

  test.each([0, 2, 0x100])('%i questions are not one', (count) => {
    const changed = Uint8Array.from(QUERY);
    changed.set([count >> 8, count & 255], 4);
    expect(isWireError(readQuestion(changed))).toBe(true);
  });

  test('SERVFAIL is neither authoritative nor cut, whatever the query says', () => {
    const query = Uint8Array.from(QUERY);
    query[2] = 0x2f; // opcode 5, AA, TC, RD
    expect(failureOf(query)[2]).toBe(0x80 | 0x28 | 0x01);
  });
});
