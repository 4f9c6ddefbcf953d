// Sending into a stream (TCP encapsulation, RFC 9329 §3): every message, ESP packet or IKE message, behind its length.
//
//   SEND_DESC  [0] 1448       [1] 1448       [2] 900
//   iovecs     2 │ packet 0   2 │ packet 1   2 │ packet 2      one sendmsg for all; where the stream takes a part of them only,
//                                                              the rest goes on from there, so that no message is cut in two
//
// IKE messages of the control thread wait here for the border between two packets. Nothing allocates per packet.
import { DESC_BYTES, DESC_LENGTH } from '../../assembly/layout.ts';
import {
  EAGAIN,
  EINTR,
  IOVEC_BYTES,
  MSG_CONTROLLEN,
  MSG_DONTWAIT,
  MSG_IOV,
  MSG_IOVLEN,
  MSG_NAMELEN,
  MSG_NOSIGNAL,
} from '../native/constants.ts';
import { errnoName } from '../native/libc.ts';
import { SEND_DESC, STREAM_HEADER, STREAM_IOVECS, STREAM_LENGTHS } from './layout.ts';
import type { PathParts } from './parts.ts';

/** The length counts itself (RFC 9329 §3). */
const LENGTH_BYTES = 2;
/** Messages of the control thread that wait; more are dropped, IKE repeats its own. */
const MOST_MESSAGES = 64;

export type StreamProgress = 'done' | 'full' | 'broken';

/** One stream. The batch in SEND_DESC is its owner's; here it is only known how much of it has left. */
export class StreamOut {
  readonly fd: number;
  readonly #parts: PathParts;
  readonly #messages: Uint8Array[] = [];
  /** Entries of SEND_DESC: [#next, #end), and how many bytes of #next (length included) have left. */
  #next = 0;
  #end = 0;
  #left = 0;
  #broken = false;

  constructor(parts: PathParts, fd: number) {
    this.#parts = parts;
    this.fd = fd;
  }

  /** Something waits that is not in SEND_DESC. */
  get hasMessages(): boolean {
    return !this.#broken && this.#messages.length > 0;
  }

  /** Entries of the batch that have not left whole. */
  get remaining(): number {
    return this.#end - this.#next;
  }

  /** An IKE message with its non-ESP marker. false: too many wait. */
  message(bytes: Uint8Array): boolean {
    if (this.#messages.length >= MOST_MESSAGES) return false;
    const framed = new Uint8Array(LENGTH_BYTES + bytes.length);
    framed[0] = framed.length >>> 8;
    framed[1] = framed.length & 0xff;
    framed.set(bytes, LENGTH_BYTES);
    this.#messages.push(framed);
    return true;
  }

  /** The batch to be sent: entries [first, end) of SEND_DESC. */
  begin(first: number, end: number): void {
    this.#next = first;
    this.#end = end;
    this.#left = 0;
  }

  /** Sends what waits, as far as the stream takes it. `broken`: it never will again. */
  flush(): StreamProgress {
    if (this.#broken) return 'broken';
    // A packet that has begun has to end before anything else can begin.
    if (this.#left === 0) {
      const progress = this.#sendMessages();
      if (progress !== 'done') return progress;
    }
    while (this.#next < this.#end) {
      const sent = this.#write();
      if (sent === 'full' || sent === 'broken') return sent;
      this.#advance(sent);
    }
    return this.#sendMessages();
  }

  /** The batch is given up; a packet of which a part has left breaks the stream, since the other end waits for the rest. */
  abandon(): void {
    if (this.#left > 0) this.#broken = true;
    this.#next = this.#end;
    this.#left = 0;
  }

  #sendMessages(): StreamProgress {
    const { calls } = this.#parts;
    for (let first = this.#messages[0]; first; first = this.#messages[0]) {
      const sent = calls.sendto(this.fd, first, MSG_DONTWAIT | MSG_NOSIGNAL, NOWHERE);
      if (sent < 0) {
        const progress = this.#failure();
        if (progress === undefined) continue;
        return progress;
      }
      if (sent < first.length) this.#messages[0] = first.subarray(sent);
      else this.#messages.shift();
    }
    return 'done';
  }

  /** Bytes that the stream took of the batch. */
  #write(): number | 'full' | 'broken' {
    const { calls, memory } = this.#parts;
    const { words, bytes } = memory;
    let iovecs = 0;
    for (let i = this.#next; i < this.#end; i++) {
      const at = (SEND_DESC + i * DESC_BYTES) >>> 2;
      const length = words[at + (DESC_LENGTH >>> 2)]!;
      const prefix = STREAM_LENGTHS + i * LENGTH_BYTES;
      bytes[prefix] = (length + LENGTH_BYTES) >>> 8;
      bytes[prefix + 1] = (length + LENGTH_BYTES) & 0xff;
      const gone = i === this.#next ? this.#left : 0;
      if (gone < LENGTH_BYTES) memory.iovec(STREAM_IOVECS + iovecs++ * IOVEC_BYTES, prefix + gone, LENGTH_BYTES - gone);
      const of = Math.max(0, gone - LENGTH_BYTES);
      memory.iovec(STREAM_IOVECS + iovecs++ * IOVEC_BYTES, words[at]! + of, length - of);
    }
    words[(STREAM_HEADER + MSG_NAMELEN) >>> 2] = 0;
    words[(STREAM_HEADER + MSG_CONTROLLEN) >>> 2] = 0;
    memory.pointer(STREAM_HEADER + MSG_IOV, STREAM_IOVECS);
    words[(STREAM_HEADER + MSG_IOVLEN) >>> 2] = iovecs;
    for (;;) {
      const sent = calls.sendmsg(this.fd, memory.base + STREAM_HEADER, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) return sent;
      const progress = this.#failure();
      if (progress !== undefined) return progress;
    }
  }

  #advance(sent: number): void {
    const { words } = this.#parts.memory;
    let left = this.#left + sent;
    while (this.#next < this.#end) {
      const whole = LENGTH_BYTES + words[(SEND_DESC + this.#next * DESC_BYTES + DESC_LENGTH) >>> 2]!;
      if (left < whole) break;
      left -= whole;
      this.#next++;
    }
    this.#left = left;
  }

  /** undefined: try again. */
  #failure(): 'full' | 'broken' | undefined {
    const errno = this.#parts.calls.errno();
    if (errno === EINTR) return undefined;
    if (errno === EAGAIN) return 'full';
    this.#broken = true;
    this.#messages.length = 0;
    this.#parts.emit({ kind: 'streamClosed', socket: this.fd, reason: errnoName(errno) });
    return 'broken';
  }
}

/** A connected socket needs no address. */
const NOWHERE = new Uint8Array(0);
