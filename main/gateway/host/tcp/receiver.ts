// The receiving half of a connection (RFC 9293 §3.10.7.4, seventh and eighth): puts segments in order, keeps what a paused
// reader does not take yet, and says how much more there is room for.
import { Reassembly } from './reassembly.ts';
import type { Segment } from './segment.ts';
import { FIN } from './segment.ts';
import { advance, ahead } from './sequence.ts';

const BUFFER = 1 << 18;
/** Our windows are sent shifted right by this many bits, where the peer knows of it (RFC 7323 §2). */
export const RECEIVE_SCALE = 3;

export interface ReceiverHandlers {
  /** The next bytes of the stream; a view. */
  onData(bytes: Uint8Array): void;
  /** After the last byte. */
  onEnd(): void;
}

export type Taken =
  /** There is a gap before it: acknowledge at once, so that the sender counts duplicates (RFC 5681 §4.2). */
  | { readonly kind: 'ahead' }
  | { readonly kind: 'in-order'; readonly bytes: number; readonly filledGap: boolean }
  /** Everything up to the peer's FIN is here, and the FIN is counted in `next`. */
  | { readonly kind: 'ended' };

export class Receiver {
  readonly #handlers: ReceiverHandlers;
  readonly #reassembly = new Reassembly();
  #next = 0;
  #scaling = false;
  /** Sequence number of the peer's FIN, once seen. */
  #end: number | undefined;
  #endCounted = false;
  #endDelivered = false;
  #paused = false;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(handlers: ReceiverHandlers) {
    this.#handlers = handlers;
  }

  /** The sequence number that we wait for. */
  get next(): number {
    return this.#next;
  }

  /** The peer's SYN. */
  start(syn: Segment): void {
    this.#next = advance(syn.sequence, 1);
    // Only where both ends say it (RFC 7323 §2.2); we always do, or answer in kind.
    this.#scaling = syn.windowScale !== undefined;
  }

  /** Bytes beyond `next` that there is room for, as far as the header can say it. */
  window(): number {
    const free = Math.max(0, BUFFER - this.#heldBytes);
    return this.#scaling ? (free >> RECEIVE_SCALE) << RECEIVE_SCALE : Math.min(free, 0xffff);
  }

  /** What goes into the header's window field; that of a SYN is never scaled (RFC 7323 §2.2). */
  windowField(inSyn: boolean): number {
    if (inSyn) return Math.min(BUFFER, 0xffff);
    return this.#scaling ? this.window() >> RECEIVE_SCALE : this.window();
  }

  /** A segment of which some part lies in the window. */
  take(segment: Segment): Taken {
    const { payload } = segment;
    const offset = ahead(segment.sequence, this.#next);
    const skip = Math.max(0, -offset);
    const fresh = payload.subarray(skip, Math.max(skip, Math.min(payload.length, this.window() - offset)));
    if ((segment.flags & FIN) !== 0 && skip + fresh.length >= payload.length)
      this.#end = advance(segment.sequence, payload.length);
    if (offset > 0) {
      this.#reassembly.insert(segment.sequence, fresh);
      return { kind: 'ahead' };
    }
    const hadGap = !this.#reassembly.empty;
    this.#deliver(fresh);
    for (let more = this.#reassembly.take(this.#next); more; more = this.#reassembly.take(this.#next))
      this.#deliver(more);
    if (this.#end === undefined || ahead(this.#next, this.#end) < 0)
      return { kind: 'in-order', bytes: fresh.length, filledGap: hadGap || offset < 0 };
    this.#next = advance(this.#end, 1);
    this.#endCounted = true;
    return { kind: 'ended' };
  }

  /** Tells the reader of the end, once, when it has had everything before. */
  deliverEnd(): void {
    if (!this.#endCounted || this.#endDelivered || this.#heldBytes > 0) return;
    this.#endDelivered = true;
    this.#handlers.onEnd();
  }

  pause(): void {
    this.#paused = true;
  }

  /** How much the window has opened, in bytes. */
  resume(): number {
    this.#paused = false;
    const before = this.window();
    while (this.#held.length > 0 && !this.#paused) {
      const bytes = this.#held.shift()!;
      this.#heldBytes -= bytes.length;
      this.#handlers.onData(bytes);
    }
    return this.window() - before;
  }

  #deliver(bytes: Uint8Array): void {
    this.#next = advance(this.#next, bytes.length);
    if (bytes.length === 0) return;
    if (this.#paused) {
      this.#held.push(bytes.slice());
      this.#heldBytes += bytes.length;
    } else this.#handlers.onData(bytes);
  }
}
