// The Type-Data of EAP-TLS, EAP-TTLS and PEAP (RFC 5216 §3.1, RFC 5281 §9.1), and what carries TLS messages of any length in
// it (RFC 5216 §2.1.5): a message is cut into fragments, each but the last is acknowledged by an empty packet.
//
// +-+-+-+-+-+-----+-----------------------------------------------+
// |L|M|S|R|R| Ver |   TLS Message Length (4 bytes, where L is set)
// +-+-+-+-+-+-----+-----------------------------------------------+
// |   TLS data …
// +----------------------------------------------------------------
import { isWireError, type WireError } from '../../wire/error.ts';
import { absent, decode, dependent, encode, type Field, rest, struct, u8, u32 } from '../../wire/field.ts';

const LENGTH = 0x80;
const MORE = 0x40;
const START = 0x20;
const VERSION = 0x07;

export interface TlsFrame {
  readonly start: boolean;
  readonly more: boolean;
  /** Of TTLS and PEAP; EAP-TLS leaves it 0. */
  readonly version: number;
  /** Of the whole message; undefined: not said. */
  readonly length: number | undefined;
  readonly data: Uint8Array;
}

const raw = struct('EAP-TLS packet', {
  flags: u8,
  length: dependent((number): Field<number | undefined> => ((number('flags') & LENGTH) !== 0 ? u32 : absent)),
  data: rest,
});

export const encodeFrame = ({ start, more, version, length, data }: TlsFrame): Uint8Array =>
  encode(raw, {
    flags: (length === undefined ? 0 : LENGTH) | (more ? MORE : 0) | (start ? START : 0) | version,
    length,
    data,
  });

export function decodeFrame(bytes: Uint8Array): TlsFrame | WireError {
  // Sloppy peers acknowledge with nothing at all.
  if (bytes.length === 0) return { start: false, more: false, version: 0, length: undefined, data: bytes };
  const value = decode(raw, bytes, 'EAP-TLS packet');
  if (isWireError(value)) return value;
  const { flags, length, data } = value;
  return { start: (flags & START) !== 0, more: (flags & MORE) !== 0, version: flags & VERSION, length, data };
}

/** More than any chain of certificates takes; who sends more wants our memory. */
export const MOST_MESSAGE = 65_536;

export type Carried =
  /** Part of a message, either way: answer with `data`. */
  | { readonly kind: 'reply'; readonly data: Uint8Array }
  /** A whole message of the other end's; empty: an acknowledgement of all that we had. */
  | { readonly kind: 'message'; readonly message: Uint8Array; readonly version: number }
  | { readonly kind: 'malformed'; readonly text: string };

/** One end of the carriage; the same for both. */
export class TlsCarrier {
  readonly #fragmentSize: number;
  readonly #version: number;
  /** Of a message of ours: what has not left yet. */
  #unsent = new Uint8Array(0);
  #received: Uint8Array[] = [];
  #expected: number | undefined;

  /** `fragmentSize`: at most so many bytes of an EAP packet, its header included. */
  constructor(fragmentSize: number, version: number) {
    // EAP header with Type, flags, length; at least one byte of TLS.
    if (fragmentSize < 64) throw new RangeError(`fragments of ${fragmentSize} bytes are too small`);
    this.#fragmentSize = fragmentSize - 10;
    this.#version = version;
  }

  /** The first packet with (a fragment of) a message. An empty one acknowledges. */
  send(message: Uint8Array): Uint8Array {
    if (this.#unsent.length > 0) throw new RangeError('a message is under way already');
    const more = message.length > this.#fragmentSize;
    this.#unsent = message.slice(this.#fragmentSize);
    return this.#frame(message.subarray(0, this.#fragmentSize), more, more ? message.length : undefined);
  }

  receive(bytes: Uint8Array): Carried {
    const frame = decodeFrame(bytes);
    if (isWireError(frame)) return { kind: 'malformed', text: frame.toString() };
    if (this.#unsent.length > 0) {
      if (frame.data.length > 0 || frame.more)
        return { kind: 'malformed', text: 'TLS data where a fragment of ours is to be acknowledged' };
      const data = this.#unsent.slice(0, this.#fragmentSize);
      this.#unsent = this.#unsent.slice(this.#fragmentSize);
      return { kind: 'reply', data: this.#frame(data, this.#unsent.length > 0, undefined) };
    }
    return this.#collect(frame);
  }

  #collect(frame: TlsFrame): Carried {
    if (this.#received.length === 0) this.#expected = frame.length;
    const most = this.#expected ?? MOST_MESSAGE;
    if (most > MOST_MESSAGE)
      return { kind: 'malformed', text: `a TLS message of ${most} bytes, more than ${MOST_MESSAGE}` };
    this.#received.push(Uint8Array.from(frame.data));
    const total = this.#received.reduce((sum, part) => sum + part.length, 0);
    if (total > most) return { kind: 'malformed', text: `a TLS message longer than the ${most} bytes announced` };
    if (frame.more) {
      if (frame.data.length === 0) return { kind: 'malformed', text: 'an empty fragment' };
      return { kind: 'reply', data: this.#frame(new Uint8Array(0), false, undefined) };
    }
    if (this.#expected !== undefined && total !== this.#expected)
      return { kind: 'malformed', text: `a TLS message of ${total} bytes where ${this.#expected} were announced` };
    const message = new Uint8Array(total);
    let at = 0;
    for (const part of this.#received) {
      message.set(part, at);
      at += part.length;
    }
    this.#received = [];
    return { kind: 'message', message, version: frame.version };
  }

  #frame(data: Uint8Array, more: boolean, length: number | undefined): Uint8Array {
    return encodeFrame({ start: false, more, version: this.#version, length, data });
  }
}
