// One attempt at the gateway, and the live connection that it becomes.
//
//   open ─▶ resolve ─▶ data plane ─▶ for each address, a way: sockets ─▶ IKE ─▶ TUN ─▶ SA ─▶ routes ─▶ up
//              │            │                                 │           │      │      │       │       │
//              └────────────┴───────────── lost(failure) ◀────┴───────────┴──────┴──────┴───────┴───────┘
//
// A link reports `up` at most once and `lost` at most once, and nothing after `lost` or close(). It never takes itself
// down: whoever opened it calls close(), which undoes everything but what the holding keeps (TUN and routes).
import type { IkeStep } from '../ike/peer.ts';
import type { ConnectStep, TunnelInfo } from '../ipc/contract.ts';
import type { DataPlane, PathEvent, PathStatistics } from '../path/command.ts';
import type { Profile } from '../profile/profile.ts';
import type { Address } from '../wire/address.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Timer } from './clock.ts';
import type { Credentials } from './credentials.ts';
import type { SessionDeps } from './deps.ts';
import { type Failure, failureOf, reasonText, SessionError } from './failure.ts';
import { LOOK_INTERVAL } from './gre-sequence.ts';
import type { Holding } from './holding.ts';
import { LinkClosed, setUpTimedOut, workerDied } from './loss.ts';
import type { Patience } from './patience.ts';
import { type GatewayMemory, gatewayAddresses, hostNotFound } from './resolve.ts';
import { tidy } from './undo.ts';
import { noAnswer } from './unreachable.ts';
import { type CreatePeer, createWay, type Way } from './way.ts';

export type LinkReport =
  | { readonly kind: 'step'; readonly step: ConnectStep }
  | { readonly kind: 'up'; readonly tunnel: TunnelInfo }
  /** The tunnel stays up, but differs (its MTU). */
  | { readonly kind: 'changed'; readonly tunnel: TunnelInfo }
  | { readonly kind: 'lost'; readonly failure: Failure };

export interface LinkOptions {
  readonly profile: Profile;
  readonly deps: SessionDeps;
  readonly createPeer: CreatePeer;
  readonly holding: Holding;
  readonly memory: GatewayMemory;
  readonly credentials: Credentials;
  /** Time that connecting may take: it stands still while a person is asked. */
  readonly patience: Patience;
  readonly report: (report: LinkReport) => void;
}

export interface Link {
  /** From the call on nothing is reported or put up; resolves when all is undone. Never rejects. */
  close(): Promise<void>;
  /** The newest that is known; null before the data plane runs. */
  statistics(): PathStatistics | null;
  /** See Tunnel. A link on its way up takes them over when the tunnel is made. */
  reconfigure(next: Pick<Profile, 'routes' | 'mtu'>): Promise<void>;
  /** What holds for the gateway's address in use; null where there is none. */
  readonly way: Pick<Way, 'roundTrip' | 'checkLiveness' | 'networkChanged' | 'probe'> | null;
}

/** Failures for which another address of the same gateway may do better. */
const WORTH_ANOTHER_ADDRESS: readonly string[] = ['ike/no-response', 'net/unreachable', 'session/stream-closed'];
/** Failures of a TCP connection that was only tried because UDP did not get through. */
const NO_STREAM: readonly string[] = ['net/unreachable', 'session/stream-closed'];

/** What the network says of a gateway that has ended: nothing listens there (any more), or the computer is gone. */
const GATEWAY_GONE: readonly string[] = ['ECONNREFUSED', 'EHOSTUNREACH'];
/** Milliseconds between two signs of life that are asked for because of that. */
export const HINT_INTERVAL = 10_000;

type Over = 'udp' | 'tcp';

/** GRE packets that may have left since the counters were read; a gap in the numbers harms nothing. */
const GRE_MARGIN = 1024;

export function openLink(options: LinkOptions): Link {
  const { deps, createPeer, holding, memory, credentials, patience } = options;
  let profile = options.profile;
  const { clock, log } = deps;
  const { connectSeconds } = profile.timing;
  let stage: 'connecting' | 'up' | 'lost' | 'closed' = 'connecting';
  let step: ConnectStep = 'resolve';
  let furthest: IkeStep | null = null;
  let plane: DataPlane | null = null;
  let planeAlive = false;
  let planeOpen = true;
  let lastStatistics: PathStatistics | null = null;
  let breaker: Breaker = createBreaker();
  let way: Way | null = null;
  /** Why connecting is about to end; `final`: also for the addresses not tried yet. */
  let failed: Failure | null = null;
  let final = false;
  let starting: Promise<DataPlane> | null = null;
  const tried: Address[] = [];
  /** Why UDP could not even be sent to an address; null once it could, to any of them. */
  let unsent: Failure | null | undefined;
  const complaints = new Set<string>();
  let greTimer: Timer | null = null;
  let hintedAt = Number.NEGATIVE_INFINITY;
  const begunAt = patience.now();
  const deadlineAt = begunAt + connectSeconds * 1000;
  const deadline = patience.after(connectSeconds * 1000, () => fail(outOfTime(), true));

  function enter(next: ConnectStep): void {
    if (stage !== 'connecting' || step === next) return;
    step = next;
    options.report({ kind: 'step', step });
  }

  /** Ends the attempt, or the connection. */
  function fail(failure: Failure, isFinal = false): void {
    if (stage === 'up') lose(failure);
    if (stage !== 'connecting') return;
    failed = isFinal ? failure : (failed ?? failure);
    final ||= isFinal;
    breaker.trip(new SessionError(failure));
  }

  function lose(failure: Failure): void {
    if (stage !== 'connecting' && stage !== 'up') return;
    stage = 'lost';
    deadline.cancel();
    options.report({ kind: 'lost', failure });
  }

  function check(): void {
    if (stage === 'lost' || stage === 'closed') throw new LinkClosed();
  }

  function outOfTime(): Failure {
    switch (step) {
      case 'resolve':
        return hostNotFound(profile.gateway.host, `no answer within ${connectSeconds} s`);
      case 'sa-init':
      case 'auth':
        return silenceOf(tried);
      case 'socket':
      case 'tun':
      case 'routes':
        return setUpTimedOut(step, connectSeconds);
    }
  }

  function silenceOf(addresses: readonly Address[]): Failure {
    const seconds = Math.max(1, Math.round((patience.now() - begunAt) / 1000));
    return noAnswer(profile, addresses, furthest, complaints, seconds);
  }

  async function run(): Promise<void> {
    // First of all: a gateway that waits for a person's answer gives up after half a minute.
    await breaker.race(credentials.ready());
    const addresses = await breaker.race(gatewayAddresses(profile, deps, memory));
    enter('socket');
    starting = deps.startDataPlane({ threads: 'auto', onEvent });
    plane = await breaker.race(starting);
    planeAlive = true;
    const { redirection } = memory;
    const elsewhere = await breaker.race(redirection.addresses());
    let attempts = attemptsAt([...elsewhere, ...addresses]);
    for (let attempt = attempts[0]; attempt; attempt = attempts[0]) {
      const { address, over } = attempt;
      const outcome = await tryAddress(plane, address, over, attempts.length);
      if (outcome === 'up') {
        if (!redirection.sentBy(address)) {
          redirection.forget();
          memory.addresses = [address, ...addresses.filter((other) => other !== address)];
        }
        return;
      }
      attempts = attempts.slice(1);
      // RFC 5685 §3: what is left of the profile's own gateways stays behind the one that we are sent to.
      if (outcome === 'redirected') {
        // The one before was tripped by the redirect.
        breaker = createBreaker();
        attempts = [...attemptsAt(await breaker.race(redirection.addresses())), ...attempts];
      }
    }
    throw new SessionError(failed ?? silenceOf(tried));
  }

  /** Every address over UDP, then every one over TCP: UDP is better wherever it gets through (RFC 9329 §5.1). */
  function attemptsAt(addresses: readonly Address[]): readonly { readonly address: Address; readonly over: Over }[] {
    const { tcp } = profile.gateway;
    const able = deps.sockets.streams !== undefined && profile.tunnel.shape !== 'gre-plain';
    const ways: readonly Over[] = tcp === 'only' ? ['tcp'] : tcp === 'fallback' && able ? ['udp', 'tcp'] : ['udp'];
    return ways.flatMap((over) => addresses.map((address) => ({ address, over })));
  }

  /** `elsewhere`: another address may do better. Rejects where none can. */
  async function tryAddress(
    running: DataPlane,
    gateway: Address,
    over: Over,
    left: number,
  ): Promise<'up' | 'elsewhere' | 'redirected'> {
    // A new one each time: what fails at this address must not stop the next.
    const guard = createBreaker();
    breaker = guard;
    check();
    enter('socket');
    furthest = null;
    if (!tried.includes(gateway)) tried.push(gateway);
    const slice = (deadlineAt - patience.now()) / left;
    const silence = (): Failure => silenceOf(left > 1 ? [gateway] : tried);
    const here = createWay({
      profile,
      deps,
      createPeer,
      holding,
      plane: running,
      planeAlive: () => planeAlive,
      planeOpen: () => planeOpen,
      gateway,
      redirectedFrom: memory.redirection.sentBy(gateway),
      tickets: memory.tickets,
      over,
      secrets: credentials,
      patience: Math.max(slice, 1000),
      check,
      greNext: memory.greNumbers?.take() ?? 0,
      lastInbound: () => statistics()?.lastInbound ?? 0,
      enter,
      reached: (reached) => {
        furthest = reached;
      },
      fail: (failure) => {
        if (way !== here) return;
        if (stage === 'up') follow(failure, gateway);
        fail(failure);
      },
      changed,
      complain,
      noAnswer: silence,
    });
    way = here;
    const sliceTimer = left > 1 ? patience.after(slice, () => here.authenticated || fail(silence())) : null;
    try {
      await guard.race(here.connect());
      return 'up';
    } catch (error) {
      // That TCP does not help either must not hide that UDP is silent: TCP is no more than a way around it.
      const around = over === 'tcp' && profile.gateway.tcp === 'fallback' && !here.authenticated;
      const blocked = around && NO_STREAM.includes(failureOf(error).error.code);
      if (blocked) complain('TCP', failureOf(error).error.message);
      const failure = blocked ? (unsent ?? silence()) : failureOf(error);
      if (over === 'udp')
        unsent = failure.error.code !== 'net/unreachable' ? null : unsent === undefined ? failure : unsent;
      const sent = failure.redirect !== undefined && stage === 'connecting' && !final && follow(failure, gateway);
      const elsewhere = WORTH_ANOTHER_ADDRESS.includes(failure.error.code);
      if (!sent && (stage !== 'connecting' || final || left === 1 || !elsewhere || here.authenticated))
        throw blocked && !final ? new SessionError(failure) : error;
      const then = sent ? '' : " Trying the gateway's next way in.";
      log({ level: 'info', area: 'session', text: `${failure.error.message}${then}` });
      // Its own goodbye must not count as a failure of this link, nor its late answers reach the next way.
      way = null;
      await here.goodbye();
      if (final && failed) {
        way = here;
        throw new SessionError(failed);
      }
      await here.release();
      if (final && failed) throw new SessionError(failed);
      failed = null;
      return sent ? 'redirected' : 'elsewhere';
    } finally {
      sliceTimer?.cancel();
    }
  }

  /** May we go where the gateway sends us? Then connections begin there from now on. */
  function follow({ redirect }: Failure, gateway: Address): boolean {
    if (!redirect) return false;
    if (memory.redirection.follow(redirect, gateway)) return true;
    memory.redirection.forget();
    log({ level: 'warn', area: 'session', text: 'sent from gateway to gateway too often: not following any more' });
    return false;
  }

  function onEvent(event: PathEvent): void {
    if (event.kind === 'note') log({ level: 'info', area: 'path', text: event.text });
    else if (event.kind === 'died') {
      planeAlive = false;
      fail(workerDied(event.worker, event.message), true);
    } else if (planeAlive) {
      way?.onEvent(event);
      if (event.kind === 'pathError' && GATEWAY_GONE.includes(event.name)) hint();
    }
  }

  /** Anybody can forge it, so it proves nothing; but it is a reason to ask the gateway at once (RFC 7296 §2.4). */
  function hint(): void {
    const now = clock.now();
    if (stage !== 'up' || now - hintedAt < HINT_INTERVAL) return;
    hintedAt = now;
    way?.checkLiveness();
  }

  /** Worth a line when new; kept as a likely cause of a silence that may follow. */
  function complain(name: string, text: string): void {
    log({ level: complaints.has(name) ? 'debug' : 'warn', area: 'net', text });
    complaints.add(name);
  }

  function changed(): void {
    const tunnel = way?.info();
    if (stage === 'up' && tunnel) options.report({ kind: 'changed', tunnel });
  }

  function statistics(): PathStatistics | null {
    try {
      if (plane && planeAlive) lastStatistics = plane.statistics();
    } catch (error) {
      log({ level: 'warn', area: 'path', text: `reading the counters: ${reasonText(error)}` });
    }
    return lastStatistics;
  }

  /** Keeps the stored GRE sequence number ahead of those that are used. */
  function lookAtGreNumbers(): void {
    const numbers = memory.greNumbers;
    if (!numbers || stage !== 'up') return;
    const next = statistics()?.greNextSequence?.[0] ?? 0;
    if (next > 0) numbers.used(next);
    greTimer = clock.setTimer(clock.now() + LOOK_INTERVAL, lookAtGreNumbers);
  }

  async function close(): Promise<void> {
    stage = 'closed';
    deadline.cancel();
    breaker.trip(new LinkClosed());
    await tidy(deps, 'waiting for the set-up to stop', () => script);
    const here = way;
    await here?.goodbye();
    greTimer?.cancel();
    const greNext = statistics()?.greNextSequence?.[0] ?? 0;
    // Of a dead worker only old counters are known.
    if (!planeAlive) memory.greNumbers?.lost();
    else if (greNext > 0) memory.greNumbers?.settle(greNext + GRE_MARGIN);
    planeAlive = false;
    // Workers first: a descriptor must not be closed, and its number given away, while a thread still reads it.
    // One that is only starting is closed as soon as it has started.
    await tidy(deps, 'closing the data plane', () =>
      starting?.then(
        (started) => started.close(),
        () => {},
      ),
    );
    planeOpen = false;
    await here?.release();
  }

  const script = run()
    .then(() => {
      const tunnel = way?.info();
      // Lost again between the last step of set-up and this line.
      if (failed) return lose(failed);
      if (stage !== 'connecting' || !tunnel) return;
      stage = 'up';
      deadline.cancel();
      lookAtGreNumbers();
      options.report({ kind: 'up', tunnel });
    })
    // Of the lines above, too: a link that says nothing would be waited for for ever.
    .catch((error: unknown) => lose(failureOf(error)));

  let closing: Promise<void> | null = null;
  return {
    close: () => {
      closing ??= close();
      return closing;
    },
    statistics,
    get way() {
      return stage === 'up' ? way : null;
    },
    async reconfigure({ routes, mtu }) {
      const before = profile;
      // For the addresses of the gateway that are not tried yet.
      profile = { ...profile, routes, mtu };
      try {
        await way?.reconfigure(profile);
      } catch (error) {
        profile = before;
        throw error;
      }
    },
  };
}
