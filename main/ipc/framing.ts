// Newline-delimited JSON: one message a line, UTF-8. Lines are bounded, so that a peer cannot make us keep its bytes
// for ever.
import { StringDecoder } from 'node:string_decoder';

/** Longest line in bytes. A profile is at most 256 Ki characters; JSON's escapes may make it longer. */
export const MOST_LINE_BYTES = 2 * 1024 * 1024;

export function encodeLine(message: unknown): string {
  // JSON.stringify escapes newlines inside strings: a line is one message.
  return `${JSON.stringify(message)}\n`;
}

export interface LineReader {
  /** Takes bytes as they come; returns the lines they complete, or 'too-long' (for good: the stream is unusable). */
  push(chunk: Uint8Array): readonly string[] | 'too-long';
}

export function createLineReader(most = MOST_LINE_BYTES): LineReader {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let held = 0;
  let broken = false;
  return {
    push(chunk) {
      if (broken) return 'too-long';
      const lines: string[] = [];
      let start = 0;
      for (;;) {
        const end = chunk.indexOf(0x0a, start);
        const piece = chunk.subarray(start, end < 0 ? undefined : end);
        held += piece.length;
        if (held > most) {
          broken = true;
          parts = [];
          return 'too-long';
        }
        parts.push(decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length)));
        if (end < 0) return lines;
        const line = parts.join('') + decoder.end();
        parts = [];
        held = 0;
        start = end + 1;
        if (line.trim() !== '') lines.push(line);
      }
    },
  };
}

/** The value of a line, or undefined where it is not JSON. */
export function decodeLine(line: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) as unknown };
  } catch {
    return undefined;
  }
}
