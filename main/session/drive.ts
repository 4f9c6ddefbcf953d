// Drives one IkePeer: hands it events and carries out its effects in the order given. The peer has no clock and no socket;
// this is where its timer becomes a timer and its datagrams leave.
//
// `expectChild` and `installChild` hold back what follows them until the data plane has done them: a request that names our
// SPI leaves when the receiver parks for it, the response to a rekeying when its inbound SA is there (RFC 7296 §2.8).
// `ask` holds back nothing: the SA itself knows what has to wait for the answer.
import { IkeError } from '../ike/error.ts';
import type { CloseReason, IkeEffect, IkeEvent, IkePeer, IkeStep } from '../ike/peer.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import type { ResumptionTicket } from '../ike/ticket.ts';
import type { Instant } from '../ike/timing.ts';
import type { Transport } from '../ike/transport.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Clock, Timer } from './clock.ts';
import { reasonText } from './failure.ts';

export type Established = Extract<IkeEffect, { readonly kind: 'established' }>;
export type InstallChild = Extract<IkeEffect, { readonly kind: 'installChild' }>;
export type ChildRefused = Extract<IkeEffect, { readonly kind: 'childRefused' }>;
export type MoveChild = Extract<IkeEffect, { readonly kind: 'moveChild' }>;

/** What the effects mean here. None may throw; only `expect` and `install` are waited for. */
export interface DriveActions {
  send(bytes: Uint8Array, to: Endpoint, transport: Transport): void;
  keepalive(to: Endpoint): void;
  /** Resolves when the receiver parks packets for this SPI. */
  expect(spiIn: number): Promise<void>;
  cancel(spiIn: number): void;
  /** Resolves when packets can come and go. A rejection becomes the event `childInstalled` with its text. */
  install(effect: InstallChild): Promise<void>;
  move(effect: MoveChild): void;
  remove(spiIn: number, by: 'peer' | 'us'): void;
  step(step: IkeStep): void;
  established(effect: Established): void;
  /** The IKE SA has other keys and these algorithms now. */
  rekeyed(proposal: string): void;
  /** The gateway will not have one of several CHILD SAs. */
  refused(effect: ChildRefused): void;
  ask(question: IkeQuestion): Promise<IkeAnswer>;
  /** A ticket to resume the SA with, in the place of the one before; undefined: that one is worthless. */
  ticket(ticket: ResumptionTicket | undefined): void;
  /** The IKE SA should be authenticated anew within `within` milliseconds. */
  reauthenticate(within: number): void;
  log(level: 'debug' | 'info' | 'warn', text: string): void;
  closed(reason: CloseReason): void;
  /** When an authenticated packet arrived last; 0: never. */
  lastInbound(): Instant;
}

export interface Drive {
  feed(event: IkeEvent): void;
  /** The peer has said `closed`, or was stopped. */
  readonly over: boolean;
  /** No more timers and no more effects. The peer must have been asked to close before. */
  stop(): void;
}

/** Milliseconds: longer than any SA waits for the answer to its goodbye. */
const PATIENCE = 3_600_000;

export function createDrive(peer: IkePeer, clock: Clock, actions: DriveActions): Drive {
  let timer: Timer | null = null;
  let over = false;
  /** What has to happen before the queue goes on; null: nothing. */
  let waiting: { readonly what: 'expect' | 'install' } | null = null;
  let reported: Instant = 0;
  const queue: IkeEffect[] = [];

  function finish(): void {
    over = true;
    timer?.cancel();
    timer = null;
    queue.length = 0;
  }

  function feed(event: IkeEvent): void {
    if (over) return;
    // Nobody is kept from leaving by a TUN or routes that take their time.
    if (event.kind === 'close' && waiting?.what === 'install') waiting = null;
    try {
      queue.push(...peer.handle(event, clock.now()));
    } catch (error) {
      // A fault of ours, not of the peer's: end this SA rather than the engine.
      finish();
      bury();
      actions.log('warn', `IKE stopped by a fault of its own: ${reasonText(error)}`);
      actions.closed({ by: 'error', error: fault(error) });
      return;
    }
    pump();
  }

  /** Its keys go with it: it closes, and nobody answers. What it says of that nobody hears. */
  function bury(): void {
    const now = clock.now();
    for (const [event, at] of [
      [{ kind: 'close' }, now],
      [{ kind: 'timer' }, now + PATIENCE],
    ] as const)
      try {
        peer.handle(event, at);
      } catch {
        // It is past help; the rest of it is the garbage collector's.
      }
  }

  function pump(): void {
    while (waiting === null) {
      const effect = queue.shift();
      if (!effect) return;
      carryOut(effect);
    }
  }

  /** Holds the queue back until `doing` has settled; `then` is told even if the queue went on without it. */
  function wait(what: 'expect' | 'install', doing: Promise<void>, then: (error: unknown) => void): void {
    const mine = { what };
    waiting = mine;
    const goOn = (error?: unknown): void => {
      if (waiting === mine) waiting = null;
      then(error);
      pump();
    };
    doing.then(
      () => goOn(),
      (error: unknown) => goOn(error ?? new Error('it failed without a reason')),
    );
  }

  function alarm(): void {
    timer = null;
    // Liveness checks are for silence only (RFC 7296 §2.4): say first what has been heard.
    const heard = actions.lastInbound();
    if (heard > reported) {
      reported = heard;
      feed({ kind: 'inboundTraffic', at: heard });
    }
    feed({ kind: 'timer' });
  }

  function carryOut(effect: IkeEffect): void {
    switch (effect.kind) {
      case 'send':
        actions.send(effect.bytes, effect.to, effect.transport);
        return;
      case 'keepalive':
        actions.keepalive(effect.to);
        return;
      case 'timer':
        timer?.cancel();
        timer = effect.at === null ? null : clock.setTimer(effect.at, alarm);
        return;
      case 'step':
        actions.step(effect.step);
        return;
      case 'established':
        actions.established(effect);
        return;
      case 'expectChild': {
        const { spiIn } = effect;
        wait('expect', actions.expect(spiIn), (error) => {
          if (error !== undefined) feed({ kind: 'childInstalled', spiIn, error: reasonText(error) });
        });
        return;
      }
      case 'cancelChild':
        actions.cancel(effect.spiIn);
        return;
      case 'installChild': {
        const { spiIn } = effect.child;
        wait('install', actions.install(effect), (error) =>
          feed({ kind: 'childInstalled', spiIn, ...(error === undefined ? {} : { error: reasonText(error) }) }),
        );
        return;
      }
      case 'moveChild':
        actions.move(effect);
        return;
      case 'removeChild':
        actions.remove(effect.spiIn, effect.by);
        return;
      case 'ask': {
        const { id } = effect;
        actions.ask(effect.question).then(
          (answer) => feed({ kind: 'answer', id, answer }),
          (error: unknown) => feed({ kind: 'answer', id, answer: { kind: 'failed', error: fault(error) } }),
        );
        return;
      }
      case 'rekeyed':
        actions.rekeyed(effect.proposal);
        return;
      case 'childRefused':
        actions.refused(effect);
        return;
      case 'ticket':
        actions.ticket(effect.ticket);
        return;
      case 'reauthenticate':
        actions.reauthenticate(effect.within);
        return;
      case 'log':
        actions.log(effect.level, effect.text);
        return;
      case 'closed':
        finish();
        actions.closed(effect.reason);
        return;
    }
  }

  return {
    feed,
    get over() {
      return over;
    },
    stop: finish,
  };
}

function fault(error: unknown): IkeError {
  return new IkeError({
    code: 'protocol',
    message: `The IKE session ended by an internal fault: ${reasonText(error)}`,
    remedy: 'Connect again. If it happens again, report it with the output of `culvert logs`.',
  });
}
