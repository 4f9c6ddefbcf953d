import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader, decodeLine, encodeLine } from '../../main/ipc/framing.ts';

describe('lines', () => {
  it('come out whole however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }),
        fc.array(fc.nat({ max: 40 })),
        (texts, cuts) => {
          const bytes = Buffer.from(texts.map((text) => encodeLine({ text })).join(''));
          const reader = createLineReader();
          const lines: string[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            const got = reader.push(bytes.subarray(at, at + cut));
            if (got === 'too-long') throw new Error(got);
            lines.push(...got);
            at += cut;
          }
          expect(lines.map((line) => decodeLine(line)?.value)).toEqual(texts.map((text) => ({ text })));
        },
      ),
    );
  });

  it('leaves out empty ones', () => {
    expect(createLineReader().push(Buffer.from('\n \n1\r\n\n'))).toEqual(['1\r']);
  });

  it('are bounded, in one piece or in many', () => {
    expect(createLineReader(10).push(Buffer.from(`${'x'.repeat(10)}\n`))).toEqual(['x'.repeat(10)]);
    expect(createLineReader(10).push(Buffer.from('x'.repeat(11)))).toBe('too-long');
    const reader = createLineReader(10);
    for (let i = 0; i < 10; i++) expect(reader.push(Buffer.from('x'))).toEqual([]);
    expect(reader.push(Buffer.from('x'))).toBe('too-long');
    // And stays so: nothing after it can be trusted to begin a line.
    expect(reader.push(Buffer.from('\n{}\n'))).toBe('too-long');
  });

  it('that are not JSON have no value', () => {
    expect(decodeLine('{')).toBeUndefined();
    expect(decodeLine('null')).toEqual({ value: null });
  });
});
