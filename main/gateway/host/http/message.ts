// HTTP/1.1 messages (RFC 9112) as far as one page and its reader need them: a head of lines, a body by Content-Length or
// until the connection ends. No chunked coding, no pipelining.

/** More head than this is refused. */
export const MOST_HEAD = 8192;

export interface Head {
  /** "GET / HTTP/1.1" or "HTTP/1.1 200 OK". */
  readonly startLine: string;
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Collects a message's head; the bytes behind it are the start of the body. */
export class HeadReader {
  #text = '';

  /** undefined: more is needed. Bytes are read as Latin-1 (RFC 9110 §5.5). */
  add(bytes: Uint8Array): { readonly head: Head; readonly rest: Uint8Array } | 'malformed' | undefined {
    const before = this.#text.length;
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return this.#text.length > MOST_HEAD ? 'malformed' : undefined;
    if (end > MOST_HEAD) return 'malformed';
    const [startLine = '', ...lines] = this.#text.slice(0, end).split('\r\n');
    const fields = new Map<string, string>();
    for (const line of lines) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
      if (!match) return 'malformed';
      fields.set(match[1]!.toLowerCase(), match[2]!);
    }
    return { head: { startLine, fields }, rest: bytes.subarray(end + 4 - before) };
  }
}

export function encodeHead(startLine: string, fields: Readonly<Record<string, string | number>>): Uint8Array {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${startLine}\r\n${lines.join('')}\r\n`, 'latin1');
}
