// One TCP connection (RFC 9293), sans-IO: segments in, segments out through `emit`, time from the injected clock.
//
//   CLOSED ─connect─▶ SYN-SENT ─────────▶ ESTABLISHED ─end()─▶ FIN-WAIT-1 ─▶ FIN-WAIT-2 ─▶ TIME-WAIT ─▶ CLOSED
//   LISTEN ─SYN────▶ SYN-RECEIVED ──────┘      │                    └──────▶ CLOSING ────┘
//                                              └─FIN─▶ CLOSE-WAIT ─end()─▶ LAST-ACK ─▶ CLOSED
//
// Retransmission after RFC 6298, congestion control after RFC 5681 and 6582, window scale after RFC 7323. Left out:
// selective acknowledgement, timestamps, urgent data, simultaneous open.
import { Alarm, type Clock } from '../../clock.ts';
import { Congestion } from './congestion.ts';
import { RECEIVE_SCALE, Receiver } from './receiver.ts';
import { RetransmissionTimeout } from './retransmission.ts';
import { ACK, FIN, PSH, RST, type Segment, SYN } from './segment.ts';
import { SendBuffer } from './send-buffer.ts';
import { advance, ahead } from './sequence.ts';

export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

export type TcpFailure = 'refused' | 'reset' | 'timed-out' | 'aborted';

export interface TcpHandlers {
  /** Both ends have agreed. */
  onOpen?(): void;
  /** The next bytes of the stream; a view that is valid during the call only. */
  onData?(bytes: Uint8Array): void;
  /** The peer has sent its last byte. */
  onEnd?(): void;
  /** After `write` took less than it was given: there is room again. */
  onWritable?(): void;
  /** Nothing follows. Without `failure` both directions ended in order. */
  onClose?(failure?: TcpFailure): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly emit: (segment: Segment) => void;
  readonly localPort: number;
  readonly remotePort: number;
  /** Initial send sequence number. */
  readonly initialSequence: number;
  /** Largest payload that we can receive in one segment; also the most that we send. */
  readonly mss: number;
  /** The SYN that a listener received; undefined: we connect. */
  readonly syn: Segment | undefined;
  readonly onGone: () => void;
}

const BUFFER = 1 << 18;
const DELAYED_ACK = 25;
const TRIES = 8;
/** RFC 9293 §3.4.2 wants twice two minutes; long enough here for several retransmissions of the peer's FIN. */
const TIME_WAIT = 30_000;
/** RFC 9293 §3.7.1: what a peer that says nothing can take. */
const DEFAULT_MSS = 536;

export class TcpConnection {
  handlers: TcpHandlers = {};

  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  #state: TcpState;
  #mss: number;

  readonly #buffer = new SendBuffer(BUFFER);
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
  #congestion: Congestion;
  readonly #timeout = new RetransmissionTimeout();
  #tries = 0;
  #timed: { readonly sequence: number; readonly at: number } | undefined;

  readonly #receiver = new Receiver({
    onData: (bytes) => this.handlers.onData?.(bytes),
    onEnd: () => this.handlers.onEnd?.(),
  });
  #unacked = 0;

  readonly #retransmit: Alarm;
  readonly #persist: Alarm;
  readonly #delayed: Alarm;
  readonly #timeWait: Alarm;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#una = this.#next = this.#highest = options.initialSequence;
    this.#mss = options.mss;
    this.#retransmit = new Alarm(options.clock, () => this.#onTimeout());
    this.#persist = new Alarm(options.clock, () => this.#onPersist());
    this.#delayed = new Alarm(options.clock, () => this.#acknowledge());
    this.#timeWait = new Alarm(options.clock, () => this.#close());
    const { syn } = options;
    this.#state = syn ? 'syn-received' : 'syn-sent';
    if (syn) this.#acceptOptions(syn);
    this.#congestion = new Congestion(this.#mss);
    if (syn) this.#takeWindow(syn, 0);
    this.#next = this.#highest = advance(options.initialSequence, 1);
    this.#sendSyn();
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#buffer.length;
  }

  /** Takes as many bytes as fit and returns how many; onWritable follows where that was not all. */
  write(bytes: Uint8Array): number {
    if (this.#ending) throw new Error('write after end');
    if (this.#state === 'closed') return 0;
    const taken = this.#buffer.append(bytes);
    this.#wantsRoom = taken < bytes.length;
    this.#output();
    return taken;
  }

  /** No more bytes follow. Those written are still sent. */
  end(): void {
    if (this.#ending || this.#state === 'closed') return;
    this.#ending = true;
    this.#output();
  }

  /** Gives up at once, and tells the peer so. */
  abort(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'syn-sent' && this.#state !== 'time-wait') this.#emit(this.#highest, RST | ACK);
    this.#close('aborted');
  }

  /** Received bytes are kept, and the window closes, until `resume`. */
  pause(): void {
    this.#receiver.pause();
  }

  resume(): void {
    const opened = this.#receiver.resume();
    if (this.#state === 'closed') return;
    // RFC 9293 §3.8.6.2.2: only an opening worth a segment is worth saying.
    if (opened >= this.#mss) this.#acknowledge();
    this.#receiver.deliverEnd();
  }

  /** RFC 9293 §3.10.7. */
  receive(segment: Segment): void {
    switch (this.#state) {
      case 'closed':
        return;
      case 'syn-sent':
        this.#receiveInSynSent(segment);
        return;
      case 'syn-received':
      case 'established':
      case 'fin-wait-1':
      case 'fin-wait-2':
      case 'close-wait':
      case 'closing':
      case 'last-ack':
      case 'time-wait':
        this.#receiveSynchronised(segment);
    }
  }

  #receiveInSynSent(segment: Segment): void {
    const acceptable = (segment.flags & ACK) !== 0 && segment.acknowledgement === this.#next;
    if ((segment.flags & ACK) !== 0 && !acceptable) {
      if ((segment.flags & RST) === 0) this.#emitRaw(segment.acknowledgement, RST, 0);
      return;
    }
    if ((segment.flags & RST) !== 0) {
      if (acceptable) this.#close('refused');
      return;
    }
    // A SYN without ACK would be a simultaneous open: left out, the peer's retransmission decides.
    if ((segment.flags & SYN) === 0 || !acceptable) return;
    this.#acceptOptions(segment);
    this.#congestion = new Congestion(this.#mss);
    this.#sampleRtt(segment.acknowledgement);
    this.#una = segment.acknowledgement;
    // The window of a SYN is never scaled (RFC 7323 §2.2).
    this.#takeWindow(segment, 0);
    this.#tries = 0;
    this.#retransmit.clear();
    this.#state = 'established';
    this.#acknowledge();
    this.handlers.onOpen?.();
    this.#output();
  }

  #receiveSynchronised(segment: Segment): void {
    const { flags, payload } = segment;
    const length = payload.length + (flags & FIN ? 1 : 0);
    const window = this.#receiver.window();
    const offset = ahead(segment.sequence, this.#receiver.next);
    // RFC 9293 §3.10.7.4, first: some of the segment must lie in the window.
    const acceptable = length === 0 ? offset >= 0 && offset <= window : offset < window && offset + length > 0;
    if (!acceptable) {
      if ((flags & RST) !== 0) return;
      if (this.#state === 'time-wait') this.#timeWait.set(this.#clock.now() + TIME_WAIT);
      this.#acknowledge();
      return;
    }
    if ((flags & RST) !== 0) {
      // Only the very next sequence number resets; anything else in the window is asked about (RFC 5961 §3.2).
      if (offset === 0) this.#takeReset();
      else this.#acknowledge();
      return;
    }
    if ((flags & SYN) !== 0) {
      // RFC 5961 §4.2: a challenge; a peer that really restarted answers it with a reset.
      this.#acknowledge();
      return;
    }
    if ((flags & ACK) === 0 || !this.#takeAcknowledgement(segment)) return;
    if (length > 0) this.#takeData(segment);
    this.#output();
  }

  #takeReset(): void {
    switch (this.#state) {
      case 'time-wait':
        // An answer to one of our acknowledgements that came late; both directions have ended (RFC 1337 §3).
        return;
      case 'closing':
      case 'last-ack':
        this.#close(this.#buffer.length > 0 ? 'reset' : undefined);
        return;
      case 'syn-received':
        this.#close('refused');
        return;
      default:
        this.#close('reset');
    }
  }

  /** False where nothing more of the segment is to be looked at. */
  #takeAcknowledgement(segment: Segment): boolean {
    const ack = segment.acknowledgement;
    if (ahead(ack, this.#highest) > 0 && ack !== this.#probed) {
      if (this.#state === 'syn-received') this.#emitRaw(ack, RST, 0);
      else this.#acknowledge();
      return false;
    }
    if (this.#state === 'syn-received') {
      if (ahead(ack, this.#una) <= 0) return false;
      this.#state = 'established';
      this.#sampleRtt(ack);
      this.#una = ack;
      this.#tries = 0;
      this.#retransmit.clear();
      this.#takeWindow(segment, this.#windowShift);
      this.handlers.onOpen?.();
      return (this.#state as TcpState) !== 'closed';
    }
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
    if ((this.#state as TcpState) === 'closed') return false;
    // RFC 9293 §3.10.7.4, fifth: an older segment must not bring back an older window.
    const newer = ahead(segment.sequence, this.#windowSequence);
    if (acked >= 0 && (newer > 0 || (newer === 0 && ahead(ack, this.#windowAck) >= 0)))
      this.#takeWindow(segment, this.#windowShift);
    return true;
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
    if (acked > bytes) this.#finAcknowledged();
    if (this.#wantsRoom && this.#buffer.free >= BUFFER / 4 && !this.#ending) {
      this.#wantsRoom = false;
      this.handlers.onWritable?.();
    }
  }

  #finAcknowledged(): void {
    switch (this.#state) {
      case 'fin-wait-1':
        this.#state = 'fin-wait-2';
        return;
      case 'closing':
        this.#enterTimeWait();
        return;
      case 'last-ack':
        this.#close();
        return;
      default:
    }
  }

  #takeData(segment: Segment): void {
    switch (this.#state) {
      case 'established':
      case 'fin-wait-1':
      case 'fin-wait-2':
        break;
      default:
        // The peer has ended already: this is a retransmission, and its answer got lost.
        this.#acknowledge();
        return;
    }
    const taken = this.#receiver.take(segment);
    // What was delivered may have made the reader give up.
    if ((this.#state as TcpState) === 'closed') return;
    switch (taken.kind) {
      case 'ahead':
        this.#acknowledge();
        return;
      case 'ended':
        this.#takeEnd();
        return;
      case 'in-order':
        this.#unacked += taken.bytes;
        if (taken.filledGap || this.#unacked >= 2 * this.#mss) this.#acknowledge();
        else if (this.#unacked > 0 && !this.#delayed.isSet) this.#delayed.set(this.#clock.now() + DELAYED_ACK);
    }
  }

  /** Everything up to the peer's FIN is here. */
  #takeEnd(): void {
    switch (this.#state) {
      case 'established':
        this.#state = 'close-wait';
        break;
      case 'fin-wait-1':
        this.#state = 'closing';
        break;
      default:
        this.#enterTimeWait();
    }
    this.#acknowledge();
    this.#receiver.deliverEnd();
  }

  /** Sends what both windows allow (RFC 9293 §3.8.6.2.1 keeps segments from getting silly). */
  #output(): void {
    switch (this.#state) {
      case 'established':
      case 'close-wait':
      case 'fin-wait-1':
      case 'closing':
      case 'last-ack':
        break;
      default:
        return;
    }
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
      this.#emit(this.#next, last ? ACK | PSH : ACK, this.#buffer.copy(inFlight, count));
      this.#sent(count);
    }
    const end = advance(this.#una, this.#buffer.length);
    if (this.#ending && this.#next === end) {
      if (this.#state === 'established') this.#state = 'fin-wait-1';
      else if (this.#state === 'close-wait') this.#state = 'last-ack';
      this.#emit(this.#next, FIN | ACK);
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
    if (count > 0) this.#emit(this.#una, ACK, this.#buffer.copy(0, count));
    else this.#emit(this.#una, FIN | ACK);
    this.#armRetransmit();
  }

  #armRetransmit(): void {
    this.#retransmit.set(this.#clock.now() + this.#timeout.value);
  }

  #onTimeout(): void {
    if (++this.#tries > TRIES) {
      this.#close('timed-out');
      return;
    }
    this.#timed = undefined;
    this.#timeout.backOff();
    if (this.#state === 'syn-sent' || this.#state === 'syn-received') {
      this.#sendSyn();
      return;
    }
    this.#congestion.timedOut(ahead(this.#next, this.#una));
    this.#next = this.#una;
    this.#output();
    // A window that shut meanwhile lets nothing out: the persist timer goes on from here.
    if (this.#next !== this.#una) this.#armRetransmit();
  }

  /** RFC 9293 §3.8.6.1: one byte into a shut window, so that its opening cannot get lost. */
  #onPersist(): void {
    if (this.#buffer.length === 0 || this.#window > 0) return;
    this.#emit(this.#una, ACK, this.#buffer.copy(0, 1));
    this.#probed = advance(this.#una, 1);
    this.#timeout.backOff();
    this.#persist.set(this.#clock.now() + this.#timeout.value);
  }

  #sampleRtt(ack: number): void {
    if (!this.#timed || ahead(ack, this.#timed.sequence) <= 0) return;
    this.#timeout.sample(this.#clock.now() - this.#timed.at);
    this.#timed = undefined;
  }

  #acceptOptions(syn: Segment): void {
    this.#mss = Math.min(this.#options.mss, syn.mss ?? DEFAULT_MSS);
    this.#receiver.start(syn);
    this.#windowShift = syn.windowScale ?? 0;
  }

  #takeWindow(segment: Segment, shift: number): void {
    this.#window = segment.window << shift;
    this.#largestWindow = Math.max(this.#largestWindow, this.#window);
    this.#windowSequence = segment.sequence;
    this.#windowAck = segment.acknowledgement;
  }

  #sendSyn(): void {
    const { initialSequence, syn } = this.#options;
    if (this.#tries === 0) this.#timed = { sequence: initialSequence, at: this.#clock.now() };
    this.#options.emit({
      sourcePort: this.#options.localPort,
      destinationPort: this.#options.remotePort,
      sequence: initialSequence,
      acknowledgement: syn ? this.#receiver.next : 0,
      flags: syn ? SYN | ACK : SYN,
      window: this.#receiver.windowField(true),
      mss: this.#options.mss,
      windowScale: syn && syn.windowScale === undefined ? undefined : RECEIVE_SCALE,
      payload: new Uint8Array(0),
    });
    this.#armRetransmit();
  }

  /** With the highest sequence number, not #next: after a time-out the peer may have everything behind #next already. */
  #acknowledge(): void {
    this.#emit(this.#highest, ACK);
  }

  #emit(sequence: number, flags: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.#unacked = 0;
    this.#delayed.clear();
    this.#emitRaw(sequence, flags, this.#receiver.next, payload);
  }

  #emitRaw(sequence: number, flags: number, acknowledgement: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.#options.emit({
      sourcePort: this.#options.localPort,
      destinationPort: this.#options.remotePort,
      sequence,
      acknowledgement,
      flags,
      window: this.#receiver.windowField(false),
      payload,
    });
  }

  #enterTimeWait(): void {
    this.#state = 'time-wait';
    this.#retransmit.clear();
    this.#timeWait.set(this.#clock.now() + TIME_WAIT);
  }

  #close(failure?: TcpFailure): void {
    this.#state = 'closed';
    for (const alarm of [this.#retransmit, this.#persist, this.#delayed, this.#timeWait]) alarm.close();
    this.#options.onGone();
    this.handlers.onClose?.(failure);
  }
}
