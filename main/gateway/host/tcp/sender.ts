// The sending half of a connection (RFC 9293 §3.4, §3.8): what was written and is not yet acknowledged, what both windows let out, and
// when it goes out again. Its other half is receiver.ts; connection.ts has the state between the two.
//
//      written ──▶ [ acknowledged | in flight | not yet sent ]
//                  #una           #next       end of the buffer, then our FIN
import { Alarm, type Clock } from '../../clock.ts';
import { Congestion } from './congestion.ts';
import { RetransmissionTimeout } from './retransmission.ts';
import { ACK, FIN, PSH, type Segment } from './segment.ts';
import { SendBuffer } from './send-buffer.ts';
import { advance, ahead } from './sequence.ts';

const BUFFER = 1 << 18;
/** Sendings of one segment, and then the peer is given up. */
const TRIES = 8;

export interface SenderHost {
  /** A segment; acknowledgement and window are the receiver's. */
  emit(sequence: number, flags: number, payload?: Uint8Array): void;
  /** No SYN has been acknowledged yet: nothing else can be sent again. */
  readonly isOpening: boolean;
  /** Our SYN once more. */
  sendSyn(): void;
  /** Whether the state lets anything out. */
  readonly maySend: boolean;
  /** Our FIN is about to leave, perhaps again. */
  finLeaves(): void;
  finAcknowledged(): void;
  /** There is room again, after `write` took less than it was given. */
  writable(): void;
  timedOut(): void;
}

export class Sender {
  readonly #host: SenderHost;
  readonly #clock: Clock;
  readonly #buffer = new SendBuffer(BUFFER);
  readonly #timeout = new RetransmissionTimeout();
  readonly #retransmit: Alarm;
  readonly #persist: Alarm;
  #mss: number;
  #congestion: Congestion;
  #una: number;
  #next: number;
  /** One past the highest sequence number ever sent; #next falls back to #una after a time-out. */
  #highest: number;
  /** The byte behind a probe of a shut window may be acknowledged although #highest does not count it. */
  #probed: number | undefined;
  #window = 0;
  #windowShift = 0;
  #largestWindow = 0;
  #windowSequence = 0;
  #windowAck = 0;
  #ending = false;
  #wantsRoom = false;
  #tries = 0;
  #timed: { readonly sequence: number; readonly at: number } | undefined;

  /** `initialSequence`: that of our SYN, which is yet to be sent. */
  constructor(clock: Clock, initialSequence: number, mss: number, host: SenderHost) {
    this.#host = host;
    this.#clock = clock;
    this.#mss = mss;
    this.#congestion = new Congestion(mss);
    this.#una = initialSequence;
    this.#next = this.#highest = advance(initialSequence, 1);
    this.#retransmit = new Alarm(clock, () => this.#onTimeout());
    this.#persist = new Alarm(clock, () => this.#onPersist());
  }

  /** The largest payload that is sent in one segment. */
  get mss(): number {
    return this.#mss;
  }

  /** The next sequence number that the peer does not know yet. */
  get next(): number {
    return this.#next;
  }

  get highest(): number {
    return this.#highest;
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#buffer.length;
  }

  get isEnding(): boolean {
    return this.#ending;
  }

  /** Takes as many bytes as fit and returns how many. */
  write(bytes: Uint8Array): number {
    const taken = this.#buffer.append(bytes);
    this.#wantsRoom = taken < bytes.length;
    this.output();
    return taken;
  }

  /** No more bytes follow: our FIN goes behind those written. */
  end(): void {
    this.#ending = true;
    this.output();
  }

  // The handshake.

  /** What the peer's SYN offers. The window of a SYN is never scaled (RFC 7323 §2.2). */
  opened(syn: Segment, mss: number): void {
    this.#mss = mss;
    this.#congestion = new Congestion(mss);
    this.#windowShift = syn.windowScale ?? 0;
    this.#takeWindow(syn, 0);
  }

  /** Our SYN has left; only the first sending is timed. */
  synSent(initialSequence: number): void {
    if (this.#tries === 0) this.#timed = { sequence: initialSequence, at: this.#clock.now() };
    this.#armRetransmit();
  }

  /** False: it acknowledges something else. */
  synAcknowledged(segment: Segment): boolean {
    if (ahead(segment.acknowledgement, this.#una) <= 0) return false;
    this.#sampleRtt(segment.acknowledgement);
    this.#una = segment.acknowledgement;
    this.#tries = 0;
    this.#retransmit.clear();
    return true;
  }

  // Acknowledgements.

  /** It acknowledges what was never sent. */
  isBeyond(ack: number): boolean {
    return ahead(ack, this.#highest) > 0 && ack !== this.#probed;
  }

  /** What the segment acknowledges is done with; a third duplicate sends the first again (RFC 5681 §3.2). Then its window is ours. */
  acknowledged(segment: Segment): void {
    const ack = segment.acknowledgement;
    const acked = ahead(ack, this.#una);
    const inFlight = ahead(this.#next, this.#una);
    if (acked > 0) this.#forward(ack, acked);
    else if (
      acked === 0 &&
      inFlight > 0 &&
      segment.payload.length === 0 &&
      (segment.flags & FIN) === 0 &&
      segment.window << this.#windowShift === this.#window &&
      this.#congestion.duplicate(inFlight, this.#highest)
    )
      this.#resendFirst();
    // RFC 9293 §3.10.7.4, fifth: an older segment must not bring back an older window.
    const newer = ahead(segment.sequence, this.#windowSequence);
    if (acked >= 0 && (newer > 0 || (newer === 0 && ahead(ack, this.#windowAck) >= 0))) this.takeWindow(segment);
  }

  /** From a segment whose window is scaled: every one but a SYN. */
  takeWindow(segment: Segment): void {
    this.#takeWindow(segment, this.#windowShift);
  }

  #forward(ack: number, acked: number): void {
    const bytes = Math.min(acked, this.#buffer.length);
    this.#buffer.drop(bytes);
    this.#una = ack;
    if (ahead(this.#next, ack) < 0) this.#next = ack;
    if (ahead(this.#highest, ack) < 0) this.#highest = ack;
    this.#sampleRtt(ack);
    this.#tries = 0;
    if (this.#congestion.acknowledged(bytes, ack)) this.#resendFirst();
    if (this.#una === this.#highest) this.#retransmit.clear();
    else this.#armRetransmit();
    // One more than there were bytes: our FIN.
    if (acked > bytes) this.#host.finAcknowledged();
    if (this.#wantsRoom && this.#buffer.free >= BUFFER / 4 && !this.#ending) {
      this.#wantsRoom = false;
      this.#host.writable();
    }
  }

  // What goes out.

  /** Sends what both windows allow (RFC 9293 §3.8.6.2.1 keeps segments from getting silly). */
  output(): void {
    if (!this.#host.maySend) return;
    const limit = Math.min(this.#window, this.#congestion.window);
    for (;;) {
      const inFlight = ahead(this.#next, this.#una);
      const unsent = this.#buffer.length - inFlight;
      if (unsent <= 0) break;
      const usable = limit - inFlight;
      const count = Math.min(this.#mss, unsent, usable);
      if (count <= 0) break;
      if (inFlight > 0 && count < this.#mss && count < unsent && count < this.#largestWindow / 2) break;
      const last = count === unsent;
      if (!this.#timed && this.#next === this.#highest) this.#timed = { sequence: this.#next, at: this.#clock.now() };
      this.#host.emit(this.#next, last ? ACK | PSH : ACK, this.#buffer.copy(inFlight, count));
      this.#sent(count);
    }
    const end = advance(this.#una, this.#buffer.length);
    if (this.#ending && this.#next === end) {
      this.#host.finLeaves();
      this.#host.emit(this.#next, FIN | ACK);
      this.#sent(1);
    }
    if (this.#window === 0 && this.#buffer.length > 0 && this.#next === this.#una) {
      if (!this.#persist.isSet) this.#persist.set(this.#clock.now() + this.#timeout.value);
    } else this.#persist.clear();
  }

  #sent(count: number): void {
    this.#next = advance(this.#next, count);
    if (ahead(this.#next, this.#highest) > 0) this.#highest = this.#next;
    if (!this.#retransmit.isSet) this.#armRetransmit();
  }

  /** The segment at #una once more, without moving #next. */
  #resendFirst(): void {
    this.#timed = undefined;
    const count = Math.min(this.#mss, this.#buffer.length);
    if (count > 0) this.#host.emit(this.#una, ACK, this.#buffer.copy(0, count));
    else this.#host.emit(this.#una, FIN | ACK);
    this.#armRetransmit();
  }

  #armRetransmit(): void {
    this.#retransmit.set(this.#clock.now() + this.#timeout.value);
  }

  #onTimeout(): void {
    if (++this.#tries > TRIES) {
      this.#host.timedOut();
      return;
    }
    this.#timed = undefined;
    this.#timeout.backOff();
    if (this.#host.isOpening) {
      this.#host.sendSyn();
      return;
    }
    this.#congestion.timedOut(ahead(this.#next, this.#una));
    this.#next = this.#una;
    this.output();
    // A window that shut meanwhile lets nothing out: the persist timer goes on from here.
    if (this.#next !== this.#una) this.#armRetransmit();
  }

  /** RFC 9293 §3.8.6.1: one byte into a shut window, so that its opening cannot get lost. */
  #onPersist(): void {
    if (this.#buffer.length === 0 || this.#window > 0) return;
    this.#host.emit(this.#una, ACK, this.#buffer.copy(0, 1));
    this.#probed = advance(this.#una, 1);
    this.#timeout.backOff();
    this.#persist.set(this.#clock.now() + this.#timeout.value);
  }

  #sampleRtt(ack: number): void {
    if (!this.#timed || ahead(ack, this.#timed.sequence) <= 0) return;
    this.#timeout.sample(this.#clock.now() - this.#timed.at);
    this.#timed = undefined;
  }

  #takeWindow(segment: Segment, shift: number): void {
    this.#window = segment.window << shift;
    this.#largestWindow = Math.max(this.#largestWindow, this.#window);
    this.#windowSequence = segment.sequence;
    this.#windowAck = segment.acknowledgement;
  }

  /** Nothing is sent again. */
  stopResending(): void {
    this.#retransmit.clear();
  }

  close(): void {
    this.#retransmit.close();
    this.#persist.close();
  }
}
