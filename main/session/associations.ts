// The IKE connections that one way has with its gateway, over the same sockets and into the same tunnel (association.ts).
//
//   first ─▶ current ── authenticated anew (RFC 7296 §2.8.3) ─▶ former ── its Delete answered ─▶ gone
//                 ▲
//               next ── it fails ─▶ the current one stays as long as it lasts
//
// Each takes the datagrams that bear its SPIs and lets the others pass, so every event goes to all of them.
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { CloseReason, IkeEvent } from '../ike/peer.ts';
import type { Association, AssociationOptions } from './association.ts';
import { beginAssociation } from './association.ts';
import type { Timer } from './clock.ts';
import { type Failure, failureOf } from './failure.ts';
import { closedHere, deletedByGateway } from './loss.ts';
import { redirected } from './redirection.ts';
import type { TicketHolder } from './ticket-holder.ts';

/** Milliseconds that the tunnel may be without an SA where another IKE SA is about to bring one. */
export const RELIEF_LIMIT = 5_000;

type Shared = Omit<
  AssociationOptions,
  'config' | 'up' | 'refused' | 'childless' | 'reauthenticate' | 'ticket' | 'closed'
>;

export interface AssociationsOptions extends Shared {
  /** For the next one, from where this computer is now; undefined: it is nowhere. `first`: nobody is to be replaced. */
  readonly config: (first: boolean) => InitiatorConfig | undefined;
  readonly tickets: TicketHolder;
  /** The way is lost. */
  readonly fail: (failure: Failure) => void;
  /** The best explanation of a silence while connecting. */
  readonly noAnswer: () => Failure;
}

export interface Associations {
  /** What the tunnel goes through; null before the first. */
  readonly current: Association | null;
  readonly all: readonly Association[];
  /** Begins the first. Resolves when its CHILD SA is installed; what goes wrong before is told by `fail`. */
  first(): Promise<void>;
  feed(event: IkeEvent): void;
  ownerOf(spiIn: number): Association | undefined;
  /** Tells the gateway and waits for its answers, `limit` milliseconds at most. */
  goodbye(limit: number): Promise<void>;
  /** All end at once; nothing is reported any more. */
  stop(): void;
}

export function createAssociations(options: AssociationsOptions): Associations {
  const { deps, tickets, fail } = options;
  const { log } = deps;
  let current: Association | null = null;
  /** What is to take its place, while it is authenticated anew. */
  let next: Association | null = null;
  /** What was replaced, until the gateway has answered its Delete. */
  const former = new Set<Association>();
  /** Set while the tunnel has no SA but is about to get one. */
  let relief: Timer | null = null;

  const all = (): readonly Association[] => [current, next, ...former].filter((one) => one !== null);

  function begin(config: InitiatorConfig, up: () => void): Association {
    const own: Association = beginAssociation({
      ...options,
      config,
      up,
      step: (step) => own === current && options.step(step),
      refused: (error) => own === current && fail(failureOf(error)),
      childless: () => own === current && stranded(deletedByGateway('the CHILD SA')),
      ticket: (ticket) => tickets.keep(ticket, config.remote.address),
      reauthenticate: (within) => own === current && reauthenticate(within),
      closed: (reason) => ended(own, reason),
    });
    return own;
  }

  /** One is over, and not because we said goodbye. */
  function ended(own: Association, reason: CloseReason): void {
    former.delete(own);
    // RFC 5723 §6.2: a ticket outlives only an SA that nobody has deleted; and one with which an attempt was refused is not tried again.
    const refused = reason.by !== 'error' || (!own.established && reason.error.code !== 'no-response');
    if (own === current && refused) tickets.drop();
    if (own === next) {
      next = null;
      const failure = closeFailure(own, reason);
      log({ level: 'warn', area: 'ike', text: `authenticating anew failed: ${failure.error.message}` });
      // Then there is nothing left to stay on.
      if (relief || current?.isOver) fail(failure);
    } else if (own === current) stranded(closeFailure(own, reason));
  }

  /**
   * What the tunnel went through is gone. Gateways that allow one SA for each client end the old one just before the new one is up; but
   * nobody waits for a person's answer, or for long, with a tunnel that is none.
   */
  function stranded(failure: Failure): void {
    if (!next || next.asks) fail(failure);
    else relief ??= deps.clock.setTimer(deps.clock.now() + RELIEF_LIMIT, () => fail(failure));
  }

  /**
   * Another IKE SA beside the one that is up, whose CHILD SA takes the tunnel over; then the old one goes (RFC 7296 §2.8.3). Where
   * that fails the old one stays for as long as it lasts; then the connection is made anew, with traffic held meanwhile.
   */
  function reauthenticate(within: number): void {
    const config = next || !current ? undefined : options.config(false);
    if (!config) return;
    const seconds = Math.round(within / 1000);
    log({ level: 'info', area: 'ike', text: `authenticating anew; the present IKE SA lasts ${seconds} s more` });
    next = begin(config, succeed);
    next.feed({ kind: 'start' });
  }

  /** The next one has a CHILD SA: the tunnel goes through it from now on. */
  function succeed(): void {
    const old = current;
    current = next;
    next = null;
    relief?.cancel();
    relief = null;
    log({ level: 'info', area: 'ike', text: 'authenticated anew: the former IKE SA goes' });
    if (old && !old.isOver) {
      former.add(old);
      old.feed({ kind: 'close' });
    }
    options.changed();
  }

  function closeFailure({ established }: Association, reason: CloseReason): Failure {
    switch (reason.by) {
      case 'us':
        return closedHere();
      case 'peer':
        return deletedByGateway('the IKE SA');
      case 'redirect':
        return redirected(reason.to);
      case 'error':
        // Silence while connecting deserves more than IKE can say: which addresses, which ports, what the network said.
        return reason.error.code === 'no-response' && !established ? options.noAnswer() : failureOf(reason.error);
    }
  }

  return {
    get current() {
      return current;
    },
    get all() {
      return all();
    },
    first() {
      const config = options.config(true);
      if (!config) throw new Error('nobody begins before there are sockets');
      return new Promise((resolve) => {
        current = begin(config, resolve);
        current.feed({ kind: 'start' });
      });
    },
    feed(event) {
      for (const one of all()) one.feed(event);
    },
    ownerOf: (spiIn) => all().find((one) => one.owns(spiIn)),
    async goodbye(limit) {
      // Deleted by us: the ticket goes with the SA (RFC 5723 §6.2).
      if (current?.established && !current.isOver) tickets.drop();
      await Promise.all(all().map((one) => one.goodbye(limit)));
    },
    stop() {
      relief?.cancel();
      for (const one of all()) one.stop();
    },
  };
}
