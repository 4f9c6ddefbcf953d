// One connection to one gateway, from the click to the last undo.
//
//                 start                     up
//      ┌──────┐ ───────▶ ┌────────────┐ ─────────▶ ┌───────────┐
//   ┌─▶│ idle │          │ connecting │            │ connected │──┐ changed (MTU)
//   │  └──────┘          └────────────┘            └───────────┘◀─┘
//   │      ▲ stop          │    ▲   │ lost, again       │ lost
//   │  ┌────────┐ start    │    │   ▼                   ▼
//   │  │ failed │─────────▶│    │  ┌───────────────────────────────────┐
//   │  └────────┘          │    │  │ closing link, then retry          │  TUN and routes stay:
//   │      ▲               │    │  │   sockets, workers, IKE SA go     │  blocked, not leaked
//   │      │               │    │  └───────────────────────────────────┘
//   │      │ closed        │    │ retryDue      │ closed
//   │      │               │  ┌─────────┐        │
//   │      │               │  │ waiting │◀───────┘
//   │      │               │  └─────────┘
//   │      │    lost, first│       │ stop
//   │      │    or refused │       │              stop: from every state
//   │  ┌───────────────────▼───────▼──┐
//   └──│ closing everything, then     │  routes, IKE SA (politely), workers, sockets, TUN
//      │ failed or idle               │
//      └──────────────────────────────┘
//
// Where trying again cannot help and may do harm (reconnect.ts), `waiting` has no retryDue: it is held until a person wants it.
//
// The transitions are pure (state.ts and a file per state); this file carries out their effects. A link (link.ts) is the
// live thing: it is opened and closed here, and only the newest one is listened to.
import { createInitiator } from '../ike/initiator.ts';
import type { Prompt, TrafficStatistics } from '../ipc/contract.ts';
import { NetError } from '../net/error.ts';
import type { Profile } from '../profile/profile.ts';
import { formatAddress } from '../wire/address.ts';
import type { Timer } from './clock.ts';
import { onConnecting } from './connect.ts';
import { createCredentials, credentialsOf } from './credentials.ts';
import type { Session, SessionDeps } from './deps.ts';
import { onClosing, onIdle } from './down.ts';
import { onConnected } from './established.ts';
import { type Failure, failureOf, reasonText, SessionError } from './failure.ts';
import { createGreNumbers } from './gre-sequence.ts';
import { createHolding } from './holding.ts';
import { type Link, openLink } from './link.ts';
import { LinkClosed } from './loss.ts';
import { createPatience } from './patience.ts';
import { createPrompts } from './prompts.ts';
import { holds, mayRetry, onWaiting } from './reconnect.ts';
import { createRedirection } from './redirection.ts';
import type { GatewayMemory } from './resolve.ts';
import { type NetworkListener, type NetworkWatcher, watchNetwork } from './roaming.ts';
import {
  type Context,
  type Effect,
  type Scope,
  type SessionEvent,
  type State,
  shown,
  type Transition,
} from './state.ts';
import { createTicketHolder } from './ticket-holder.ts';
import { addTraffic, NO_TRAFFIC, trafficOf } from './traffic.ts';
import { tidy } from './undo.ts';
import type { CreatePeer } from './way.ts';

export type { Session, SessionDeps } from './deps.ts';

/** Exported for tests: every (state, event) pair has an answer. */
export function transition(state: State, event: SessionEvent, context: Context): Transition {
  switch (state.kind) {
    case 'idle':
    case 'failed':
      return onIdle(state, event);
    case 'connecting':
      return onConnecting(state, event, context);
    case 'connected':
      return onConnected(state, event, context);
    case 'waiting':
      return onWaiting(state, event, context);
    case 'closing':
      return onClosing(state, event, context);
  }
}

/** An address far away (RFC 5737): nothing is sent there. */
const ANYWHERE = Uint8Array.of(192, 0, 2, 1);

export function createSession(given: Profile, deps: SessionDeps, createPeer: CreatePeer = createInitiator): Session {
  let profile = given;
  const { clock, log } = deps;
  const holding = createHolding(deps);
  const memory: GatewayMemory = {
    addresses: [],
    redirection: createRedirection(deps),
    tickets: createTicketHolder(),
    greNumbers: profile.gre?.sequence ? createGreNumbers(profile.name, deps.greSequences, log) : null,
  };
  const prompts = createPrompts({ clock, random: deps.random, changed: () => onPrompt() });
  const credentials = createCredentials(credentialsOf(profile), prompts);
  let patience = createPatience(clock);
  const listeners: ((state: Session['state']) => void)[] = [];
  const events: SessionEvent[] = [];
  let state: State = { kind: 'idle', lastError: null };
  let view = shown(state, profile.name);
  let handling = false;
  let link: Link | null = null;
  let watcher: NetworkWatcher | null = null;
  /** Where we were when the wait for the next try began. */
  let triedFrom: string | undefined;
  let alarm: Timer | null = null;
  let earlier = NO_TRAFFIC;
  let seen = false;
  let idle: (() => void)[] = [];

  function onPrompt(): void {
    if (prompts.open) patience.pause();
    else patience.resume();
    publish();
  }

  /** Events that come while one is handled wait their turn. */
  function handle(event: SessionEvent): void {
    events.push(event);
    if (handling) return;
    handling = true;
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const result = transition(state, next, context());
        state = result.state;
        for (const effect of result.effects) carryOut(effect);
        publish();
      }
    } finally {
      handling = false;
    }
  }

  function context(): Context {
    return { profile: profile.name, now: clock.now(), wall: clock.wall(), chance };
  }

  function chance(): number {
    const [a = 0, b = 0, c = 0] = deps.random(3);
    return (a * 65536 + b * 256 + c) / 2 ** 24;
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'open':
        open();
        return;
      case 'close':
        close(effect.scope).then(() => handle({ kind: 'closed' }));
        return;
      case 'alarm':
        alarm?.cancel();
        if (effect.at !== null) triedFrom = place();
        alarm = effect.at === null ? null : clock.setTimer(effect.at, () => handle({ kind: 'retryDue' }));
        return;
      case 'log':
        log({ level: effect.level, area: 'session', text: effect.text });
        return;
    }
  }

  /** Where this machine would send from, towards the gateway; undefined: it has no way there. */
  function place(): string | undefined {
    const towards = memory.addresses[0] ?? ANYWHERE;
    const address = deps.sockets.sourceAddress({ address: towards, port: profile.gateway.port }, deps.routes.mark);
    return address instanceof NetError ? undefined : formatAddress(address);
  }

  const listener: NetworkListener = {
    async changed() {
      // In every state, and first: while nothing is connected the old network's own routes would let traffic out in the clear, and
      // the new network's interface would drop the gateway's answers (net/route/reverse-path.ts).
      await tidy(deps, 'putting routes back', () => holding.refresh());
      link?.way?.networkChanged();
      // What kept us from connecting may be gone with the network that we were on; else trying earlier would be no better.
      if (state.kind !== 'waiting' || state.retry.at === null) return;
      const now = place();
      if (now === undefined || now === triedFrom) return;
      log({ level: 'info', area: 'session', text: `this computer is at ${now} now: connecting at once` });
      handle({ kind: 'retryDue' });
    },
    resumed: () => link?.way?.checkLiveness(),
  };

  function open(): void {
    watcher ??= watchNetwork(deps, listener);
    patience = createPatience(clock);
    const opened: Link = openLink({
      profile,
      deps,
      createPeer,
      holding,
      memory,
      credentials,
      patience,
      report: (report) => {
        if (link !== opened) return;
        if (report.kind === 'up') credentials.accepted();
        if (report.kind === 'lost') lost(credentials.explain(report.failure));
        else handle(report);
      },
    });
    link = opened;
  }

  function lost(failure: Failure): void {
    const { method, second } = profile.authentication;
    const hold = holds(failure, method === 'eap' || second?.method === 'eap');
    handle({ kind: 'lost', failure, again: asksAgain(failure), hold });
  }

  /** The password or code was refused, and the person may type another. */
  function asksAgain({ error }: Failure): boolean {
    const what = REFUSED[error.code];
    return what !== undefined && credentials.refused(what);
  }

  /** Never rejects: every step of it is bounded, and its errors are logged. */
  async function close(scope: Scope): Promise<void> {
    const closing = link;
    link = null;
    prompts.withdraw();
    // First of all the link learns that it is over, so that it puts nothing up behind our back.
    const linkClosed = closing?.close();
    if (scope === 'everything') await holding.closeRoutes();
    await linkClosed;
    const statistics = closing?.statistics();
    if (statistics) {
      earlier = addTraffic(earlier, trafficOf(statistics, clock.now()));
      seen = true;
    }
    if (scope === 'everything') {
      memory.tickets.drop();
      memory.redirection.forget();
      await holding.closeTun();
    }
  }

  function publish(): void {
    const next = withPrompt(shown(state, profile.name), prompts.open);
    if (!sameState(view, next)) {
      view = next;
      for (const listener of listeners)
        try {
          listener(view);
        } catch (error) {
          log({ level: 'error', area: 'session', text: `a listener failed: ${reasonText(error)}` });
        }
    }
    if (state.kind === 'idle' || state.kind === 'failed') {
      watcher?.close();
      watcher = null;
    }
    if (state.kind === 'idle') {
      credentials.forget();
      const waiting = idle;
      idle = [];
      for (const resolve of waiting) resolve();
    }
  }

  return {
    get state() {
      return view;
    },
    start() {
      if (state.kind === 'idle' || state.kind === 'failed') {
        earlier = NO_TRAFFIC;
        seen = false;
        credentials.forget();
      }
      const held = state.kind === 'waiting' && state.retry.at === null;
      if (held) credentials.forget();
      handle({ kind: held ? 'retryDue' : 'start' });
    },
    stop() {
      const done = new Promise<void>((resolve) => {
        idle.push(resolve);
      });
      handle({ kind: 'stop' });
      return done;
    },
    on(listener) {
      listeners.push(listener);
    },
    async reconfigure({ routes, mtu }) {
      const before = profile;
      profile = { ...profile, routes, mtu };
      try {
        await link?.reconfigure(profile);
      } catch (error) {
        if (error instanceof LinkClosed) return;
        profile = before;
        throw new SessionError(failureOf(error));
      }
    },
    answerPrompt: (id, answer) => prompts.answer(id, answer),
    retryNow() {
      credentials.willing();
      if (state.kind === 'waiting' && mayRetry(state.retry)) handle({ kind: 'retryDue' });
    },
    latency: () => link?.way?.roundTrip ?? null,
    checkLiveness: () => link?.way?.checkLiveness(),
    probe: (size) => link?.way?.probe(size) ?? Promise.resolve({ kind: 'unavailable' }),
    traffic(): TrafficStatistics | null {
      const statistics = link?.statistics();
      if (!statistics) return seen ? earlier : null;
      return addTraffic(earlier, trafficOf(statistics, clock.now()));
    },
  };
}

const REFUSED: Readonly<Record<string, 'password' | 'code'>> = {
  'eap/credentials-refused': 'password',
  'eap/code-refused': 'code',
};

/** A question is part of the state in which something is asked. */
function withPrompt(state: Session['state'], prompt: Prompt | null): Session['state'] {
  return prompt && (state.state === 'connecting' || state.state === 'connected') ? { ...state, prompt } : state;
}

/** Plain data: equal where it reads the same. */
function sameState(a: Session['state'], b: Session['state']): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
