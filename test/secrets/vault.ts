// Every secret that a test has come by, and the search for each in what the program has said, in the forms that secrets leak in.
import { createHash } from 'node:crypto';

/** A run of a secret that is as good as found: a piece of a log line, or of a private key. */
const PIECE = 16;
/** Shorter ones would be found by chance. */
const LEAST = 4;

interface Needle {
  readonly name: string;
  readonly form: string;
  readonly text: string;
}

export class Vault {
  readonly #secrets = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>();

  /** Copied: whoever holds the original wipes it. Zeros and the empty string are no secrets. */
  put(name: string, secret: Uint8Array | string): void {
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : Uint8Array.from(secret);
    if (bytes.length < LEAST || bytes.every((byte) => byte === 0)) return;
    const id = createHash('sha256').update(bytes).digest('hex');
    if (!this.#secrets.has(id)) this.#secrets.set(id, { name, bytes });
  }

  get names(): readonly string[] {
    return [...new Set([...this.#secrets.values()].map(({ name }) => name))];
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** What is found of them in `said`: "SK_d as hex". Never the secret itself. */
  search(said: string): readonly string[] {
    // Dumps of bytes are broken into lines and columns.
    const dense = said.replace(/\\n|\s+/g, ' ');
    const tight = dense.replaceAll(' ', '');
    const digits = tight.toLowerCase().replace(/0x|[:,-]/g, '');
    const found = new Set<string>();
    for (const { name, bytes } of this.#secrets.values())
      for (const { form, text } of needles(name, bytes)) {
        const place = form === 'hex' ? digits : form === 'text' ? dense : tight;
        if (place.includes(text)) found.add(`${name} as ${form}`);
      }
    return [...found];
  }
}

/** Pieces that overlap, so that any 24 bytes in a row hold one of them. */
function piecesOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length <= PIECE) return [bytes];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at + PIECE <= bytes.length; at += PIECE / 2) pieces.push(bytes.subarray(at, at + PIECE));
  pieces.push(bytes.subarray(bytes.length - PIECE));
  return pieces;
}

/** All without white space, and hex without separators: the haystack has none either, except for text. */
function* needles(name: string, bytes: Uint8Array): Generator<Needle> {
  for (const piece of piecesOf(bytes)) {
    const buffer = Buffer.from(piece);
    yield { name, form: 'hex', text: buffer.toString('hex') };
    yield { name, form: 'decimal numbers', text: [...piece].join(',') };
    // JSON.stringify of a typed array.
    yield {
      name,
      form: 'a JSON object',
      text: [...piece].map((byte, i) => `"${indexOf(bytes, piece) + i}":${byte}`).join(','),
    };
    if (piece.length < 8) continue;
    // In any of the three places that a byte may have in a group of four characters.
    for (const shift of [0, 1, 2]) {
      const aligned = buffer.subarray(shift, shift + 3 * Math.floor((buffer.length - shift) / 3));
      const base64 = aligned.toString('base64');
      yield { name, form: 'base64', text: base64 };
      yield { name, form: 'base64url', text: base64.replaceAll('+', '-').replaceAll('/', '_') };
    }
    const text = buffer.toString('utf8');
    if (/^[\x20-\x7e]+$/.test(text)) yield { name, form: 'text', text };
    yield { name, form: 'latin1', text: buffer.toString('latin1').replace(/\s+/g, '') };
  }
}

const indexOf = (whole: Uint8Array, piece: Uint8Array): number => piece.byteOffset - whole.byteOffset;
