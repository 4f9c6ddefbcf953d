// One TCP connection (RFC 9293), sans-IO: segments in, segments out through `emit`, time from the injected clock.
//
//   CLOSED ─connect─▶ SYN-SENT ─────────▶ ESTABLISHED ─end()─▶ FIN-WAIT-1 ─▶ FIN-WAIT-2 ─▶ TIME-WAIT ─▶ CLOSED
//   LISTEN ─SYN────▶ SYN-RECEIVED ──────┘      │                    └──────▶ CLOSING ────┘
//                                              └─FIN─▶ CLOSE-WAIT ─end()─▶ LAST-ACK ─▶ CLOSED
//
// In here: the state, and what each segment means in it. What goes out and goes out again is sender.ts (RFC 6298, 5681, 6582), what comes in
// receiver.ts; window scale after RFC 7323. Left out: selective acknowledgement, timestamps, urgent data, simultaneous open.
import { Alarm, type Clock } from '../../clock.ts';
import { RECEIVE_SCALE, Receiver } from './receiver.ts';
import { ACK, FIN, RST, type Segment, SYN } from './segment.ts';
import { Sender, type SenderHost } from './sender.ts';
import { ahead } from './sequence.ts';

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

const DELAYED_ACK = 25;
/** RFC 9293 §3.4.2 wants twice two minutes; long enough here for several retransmissions of the peer's FIN. */
const TIME_WAIT = 30_000;
/** Where bytes and our FIN may go out, for the first time or again. */
const SENDING: ReadonlySet<TcpState> = new Set(['established', 'close-wait', 'fin-wait-1', 'closing', 'last-ack']);
/** RFC 9293 §3.7.1: what a peer that says nothing can take. */
const DEFAULT_MSS = 536;

export class TcpConnection {
  handlers: TcpHandlers = {};

  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  #state: TcpState;
  readonly #sender: Sender;
  readonly #receiver = new Receiver({
    onData: (bytes) => this.handlers.onData?.(bytes),
    onEnd: () => this.handlers.onEnd?.(),
  });
  #unacked = 0;

  readonly #delayed: Alarm;
  readonly #timeWait: Alarm;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#delayed = new Alarm(options.clock, () => this.#acknowledge());
    this.#timeWait = new Alarm(options.clock, () => this.#close());
    const { syn } = options;
    this.#state = syn ? 'syn-received' : 'syn-sent';
    this.#sender = new Sender(options.clock, options.initialSequence, options.mss, this.#senderHost());
    if (syn) this.#acceptOptions(syn);
    this.#sendSyn();
  }

  #senderHost(): SenderHost {
    const state = (): TcpState => this.#state;
    return {
      emit: (sequence, flags, payload) => this.#emit(sequence, flags, payload),
      get isOpening() {
        return state() === 'syn-sent' || state() === 'syn-received';
      },
      sendSyn: () => this.#sendSyn(),
      get maySend() {
        return SENDING.has(state());
      },
      finLeaves: () => this.#finLeaves(),
      finAcknowledged: () => this.#finAcknowledged(),
      writable: () => this.handlers.onWritable?.(),
      timedOut: () => this.#close('timed-out'),
    };
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Bytes written and not yet acknowledged. */
  get unacknowledged(): number {
    return this.#sender.unacknowledged;
  }

  /** Takes as many bytes as fit and returns how many; onWritable follows where that was not all. */
  write(bytes: Uint8Array): number {
    if (this.#sender.isEnding) throw new Error('write after end');
    return this.#state === 'closed' ? 0 : this.#sender.write(bytes);
  }

  /** No more bytes follow. Those written are still sent. */
  end(): void {
    if (!this.#sender.isEnding && this.#state !== 'closed') this.#sender.end();
  }

  /** Gives up at once, and tells the peer so. */
  abort(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'syn-sent' && this.#state !== 'time-wait') this.#emit(this.#sender.highest, RST | ACK);
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
    if (opened >= this.#sender.mss) this.#acknowledge();
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
    const acceptable = (segment.flags & ACK) !== 0 && segment.acknowledgement === this.#sender.next;
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
    this.#sender.synAcknowledged(segment);
    this.#state = 'established';
    this.#acknowledge();
    this.handlers.onOpen?.();
    this.#sender.output();
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
    this.#sender.output();
  }

  #takeReset(): void {
    switch (this.#state) {
      case 'time-wait':
        // An answer to one of our acknowledgements that came late; both directions have ended (RFC 1337 §3).
        return;
      case 'closing':
      case 'last-ack':
        this.#close(this.#sender.unacknowledged > 0 ? 'reset' : undefined);
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
    if (this.#sender.isBeyond(ack)) {
      if (this.#state === 'syn-received') this.#emitRaw(ack, RST, 0);
      else this.#acknowledge();
      return false;
    }
    if (this.#state === 'syn-received') {
      if (!this.#sender.synAcknowledged(segment)) return false;
      this.#state = 'established';
      this.#sender.takeWindow(segment);
      this.handlers.onOpen?.();
      return (this.#state as TcpState) !== 'closed';
    }
    this.#sender.acknowledged(segment);
    return (this.#state as TcpState) !== 'closed';
  }

  #finLeaves(): void {
    if (this.#state === 'established') this.#state = 'fin-wait-1';
    else if (this.#state === 'close-wait') this.#state = 'last-ack';
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
        if (taken.filledGap || this.#unacked >= 2 * this.#sender.mss) this.#acknowledge();
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

  #acceptOptions(syn: Segment): void {
    this.#receiver.start(syn);
    this.#sender.opened(syn, Math.min(this.#options.mss, syn.mss ?? DEFAULT_MSS));
  }

  #sendSyn(): void {
    const { initialSequence, syn } = this.#options;
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
    this.#sender.synSent(initialSequence);
  }

  /** With the highest sequence number, not the next: after a time-out the peer may have everything behind that already. */
  #acknowledge(): void {
    this.#emit(this.#sender.highest, ACK);
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
    this.#sender.stopResending();
    this.#timeWait.set(this.#clock.now() + TIME_WAIT);
  }

  #close(failure?: TcpFailure): void {
    this.#state = 'closed';
    this.#sender.close();
    this.#delayed.close();
    this.#timeWait.close();
    this.#options.onGone();
    this.handlers.onClose?.(failure);
  }
}
