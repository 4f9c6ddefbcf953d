// JSON (RFC 8259) for files that people write: says where and what is wrong without quoting the text, which may hold a
// secret, and does not let a key stand twice (JSON.parse silently takes the last).
import { pointerOf } from './problem.ts';

export type JsonResult =
  | { readonly value: unknown; readonly repeated: readonly string[] }
  | { readonly line: number; readonly column: number; readonly message: string };

/** No profile is deeper; bounds the recursion. */
const MOST_DEPTH = 32;

class Malformed extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** `repeated`: JSON pointers of keys that stand more than once in their object. Never throws. */
export function parseJson(text: string): JsonResult {
  const reader = new Reader(text);
  try {
    const value = reader.document();
    return { value, repeated: reader.repeated };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: error.message };
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly repeated: string[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value('JSON');
    this.#space();
    if (this.#at < this.#text.length) this.#fail('there is more behind the end of the JSON value');
    return value;
  }

  #fail(message: string, offset = this.#at): never {
    throw new Malformed(offset, message);
  }

  /** RFC 8259 §2. */
  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
    if (this.#text.startsWith('//', this.#at) || this.#text.startsWith('/*', this.#at) || this.#text[this.#at] === '#')
      this.#fail('comments are not part of JSON');
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #value(wanted: string): unknown {
    this.#space();
    if (this.#path.length > MOST_DEPTH) this.#fail('it is nested too deeply');
    const first = this.#text[this.#at];
    switch (first) {
      case undefined:
        return this.#fail(`it ends where ${wanted} should follow`);
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case "'":
        return this.#fail('text stands in double quotes');
      case '}':
      case ']':
      case ',':
        return this.#fail(`${wanted} is missing here`);
    }
    return first === '-' || (first >= '0' && first <= '9') ? this.#number() : this.#word();
  }

  #word(): boolean | null {
    const word = /[A-Za-z_$]*/y;
    word.lastIndex = this.#at;
    switch (word.exec(this.#text)?.[0]) {
      case 'true':
        this.#at += 4;
        return true;
      case 'false':
        this.#at += 5;
        return false;
      case 'null':
        this.#at += 4;
        return null;
      default:
        return this.#fail('this is neither a number, true, false, null, nor text in double quotes');
    }
  }

  #number(): number {
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.#at;
    const digits = number.exec(this.#text)?.[0];
    const next = this.#text[this.#at + (digits?.length ?? 0)] ?? ' ';
    if (digits === undefined || /[\w.+-]/.test(next)) return this.#fail('this number is not written as JSON wants it');
    this.#at += digits.length;
    return Number(digits);
  }

  #string(): string {
    const start = this.#at++;
    let value = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '\n')
        return this.#fail('this text does not end: its second double quote is missing', start);
      if (character < ' ') this.#fail('control characters in text are written as escapes, such as \\t');
      this.#at++;
      if (character === '"') return value;
      value += character === '\\' ? this.#escape() : character;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('\\u needs four hexadecimal digits', this.#at - 1);
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const meant = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (meant === undefined) this.#fail('there is no such escape; a backslash itself is written \\\\', this.#at - 1);
    this.#at++;
    return meant;
  }

  #array(): unknown[] {
    this.#at++;
    const values: unknown[] = [];
    if (this.#take(']')) return values;
    for (;;) {
      this.#path.push(values.length);
      values.push(this.#value('a value'));
      this.#path.pop();
      if (this.#take(']')) return values;
      this.#comma(']');
    }
  }

  #object(): Record<string, unknown> {
    this.#at++;
    // Without a prototype `__proto__` is a key like any other.
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    if (this.#take('}')) return object;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"')
        this.#fail(
          this.#at < this.#text.length ? 'a key in double quotes should stand here' : 'it ends inside an object',
        );
      const key = this.#string();
      if (!this.#take(':')) this.#fail('a colon should follow the key');
      this.#path.push(key);
      if (Object.hasOwn(object, key)) this.repeated.push(pointerOf(this.#path));
      object[key] = this.#value('a value');
      this.#path.pop();
      if (this.#take('}')) return object;
      this.#comma('}');
    }
  }

  #comma(end: string): void {
    const offset = this.#at;
    if (!this.#take(',')) {
      this.#fail(
        this.#at < this.#text.length ? `a comma or "${end}" is missing here` : `it ends where "${end}" should follow`,
      );
    }
    this.#space();
    if (this.#text[this.#at] === end) this.#fail(`the comma before "${end}" is one too many`, offset);
  }
}
