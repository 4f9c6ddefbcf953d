// Drives one IkePeer: hands it events and carries out its effects in the order given. The peer has no clock and no socket;
// this is where its timer becomes a timer and its datagrams leave.
import { IkeError } from '../ike/error.ts';
import type { ChildSa, CloseReason, IkeEffect, IkeEvent, IkePeer, IkeStep, Instant, Transport } from '../ike/types.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Clock, Timer } from './deps.ts';
import { reasonText } from './failure.ts';

export type Established = Extract<IkeEffect, { readonly kind: 'established' }>;

/** What the effects mean here. None may throw; only `expect` is waited for. */
export interface DriveActions {
  send(bytes: Uint8Array, to: Endpoint, transport: Transport): void;
  keepalive(to: Endpoint): void;
  /** Resolves when the receiver parks packets for this SPI. */
  expect(spiIn: number): Promise<void>;
  cancel(spiIn: number): void;
  install(child: ChildSa): void;
  move(spiOut: number, peer: Endpoint): void;
  remove(spiIn: number, by: 'peer' | 'us'): void;
  step(step: IkeStep): void;
  established(effect: Established): void;
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

export function createDrive(peer: IkePeer, clock: Clock, actions: DriveActions): Drive {
  let timer: Timer | null = null;
  let over = false;
  let waiting = false;
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
    try {
      queue.push(...peer.handle(event, clock.now()));
    } catch (error) {
      // A fault of ours, not of the peer's: end this SA rather than the engine.
      finish();
      actions.log('warn', `IKE stopped by a fault of its own: ${reasonText(error)}`);
      actions.closed({ by: 'error', error: fault(error) });
      return;
    }
    pump();
  }

  function pump(): void {
    while (!waiting) {
      const effect = queue.shift();
      if (!effect) return;
      carryOut(effect);
    }
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
        // The request that names the SPI is behind this in the queue: it leaves once the receiver is ready for answers.
        waiting = true;
        const { spiIn } = effect;
        const goOn = (error?: unknown): void => {
          waiting = false;
          if (error !== undefined) feed({ kind: 'childInstalled', spiIn, error: reasonText(error) });
          pump();
        };
        actions.expect(spiIn).then(
          () => goOn(),
          (error: unknown) => goOn(error),
        );
        return;
      }
      case 'cancelChild':
        actions.cancel(effect.spiIn);
        return;
      case 'installChild':
        actions.install(effect.child);
        return;
      case 'moveChild':
        actions.move(effect.spiOut, effect.peer);
        return;
      case 'removeChild':
        actions.remove(effect.spiIn, effect.by);
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
