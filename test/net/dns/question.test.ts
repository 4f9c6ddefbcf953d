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
});
