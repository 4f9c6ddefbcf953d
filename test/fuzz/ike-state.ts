// One life of a connection with a hostile peer that has the keys (hostile-peer.ts), drawn from a seed, and what must hold of the victim in
// all of them: nothing throws, each event has few effects, a timer runs while anything is open, it ends established or closed and closes
// once the other end is silent, no keys are installed twice, and no CHILD SA that was not agreed on.
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import type { Instant } from '../../main/ike/timing.ts';
import { compareAddresses } from '../../main/wire/address.ts';
import { formatSelector, type Selector } from '../../main/wire/selector.ts';
import { drawAuthentication } from '../sim/authentication.ts';
import { type Life, lifeOf } from '../sim/life.ts';
import { GATEWAY, selector } from '../sim/parties.ts';
import { seededNumbers } from '../sim/random.ts';
import { Simulation, type SimulationOptions } from '../sim/simulation.ts';
import type { View } from '../sim/view.ts';
import { type End, HostilePeer, MOST_EFFECTS, withHostile } from './hostile-peer.ts';

export interface HostileRun {
  readonly spoilt: number;
  readonly injected: number;
  readonly mostEffects: number;
  readonly victim: End;
  /** Before the other end fell silent. */
  readonly was: 'established' | 'closed';
  readonly everEstablished: boolean;
  readonly installed: number;
  readonly rekeyed: number;
  /** What either end has installed. */
  readonly children: readonly ChildSa[];
}

/** Of CHILD SAs that are there at once: 4 of the gateway's own limit, each with a replacement, and what loses a collision. */
const MOST_CHILDREN = 12;

export function hostileRun(seed: number): HostileRun {
  const number = seededNumbers(seed ^ 0xbad);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(number() * of.length)]!;
  const who = pick<End>('client', 'gateway');
  const victim = who === 'client' ? 'gateway' : 'client';
  const life = lifeOf(seed);
  const hostile = new HostilePeer(
    { who, from: pick<number | 'init'>('init', 0, 0, 1, 2, 2, 3, 4, 6, 10), share: pick(0.03, 0.1, 0.1, 0.3, 0.7) },
    number,
  );
  return withHostile(hostile, () => {
    const options = settings(life, pick);
    const sim = new Simulation({
      ...options,
      seed,
      network: {
        loss: pick(0, 0, 0.1),
        duplicate: pick(0, 0.1),
        delay: [5, pick(10, 300)],
        nat: pick(true, false),
        touch: (datagram) => hostile.touch(datagram),
      },
    });
    const watch = new Watch(victim, sim, hostile);
    hostile.join(sim, (effects, now) => watch.see(effects, now));
    sim.connect(15_000);
    // The longest-lived acts are of no interest here: what matters happens close together.
    for (const { act } of life.acts.slice(0, 8)) {
      sim.run(pick(20, 300, 3000));
      for (let i = pick(0, 1, 3, 6); i > 0; i--) inject(sim, hostile, who);
      perform(sim, act.kind, 'by' in act ? act.by : 'client');
    }
    sim.run(20_000);
    hostile.isOn = false;
    sim.run(60_000);
    const views = viewsOf(sim, victim);
    const was = views.some((view) => view.established && !view.closed) ? 'established' : 'closed';
    // Silence: whatever is left has to notice.
    sim.network = { ...sim.network, loss: 1 };
    sim.run(400_000);
    for (const view of viewsOf(sim, victim)) checkEnd(view);
    watch.finish();
    const { spoilt, injected, mostEffects } = hostile;
    return {
      spoilt,
      injected,
      mostEffects,
      victim,
      was,
      everEstablished: views.some((view) => view.established),
      installed: views.reduce((sum, view) => sum + view.installed.length, 0),
      rekeyed: views.reduce((sum, view) => sum + view.rekeyed, 0),
      children: [sim.client, ...sim.gateway.values()].flatMap((view) => view.installed),
    };
  });
}

function settings(life: Life, pick: <T>(...of: readonly T[]) => T): SimulationOptions {
  const { initiator, responder } = life.options;
  const drawn = pick(true, false, false) ? drawAuthentication(pick) : undefined;
  return {
    planes: { slow: pick(0, 5, 200), every: 0 },
    initiator: {
      ...initiator,
      ...drawn?.initiator,
      retransmission: { first: 500, factor: 2, most: 4000, tries: 4 },
      takesRedirects: pick(true, false),
      wantsTickets: pick(true, false),
      remakeChildren: pick(true, false),
      pfs: undefined,
    } as Partial<InitiatorConfig>,
    responder: {
      ...responder,
      ...(drawn && { authentication: drawn.authentication }),
      retransmission: { first: 500, factor: 2, most: 4000, tries: 4 },
      ticketLifetime: pick(undefined, 3600),
      cookieThreshold: pick(0, Number.POSITIVE_INFINITY),
      crashSecrets: [new Uint8Array(32).fill(9)],
    } as Partial<ResponderConfig>,
    ...(drawn && { answers: drawn.answers }),
  };
}

function inject(sim: Simulation, hostile: HostilePeer, who: End): void {
  const bytes = hostile.unasked();
  const like = sim.wire.findLast(({ direction }) => (direction === 'to-responder') === (who === 'client'));
  if (bytes && like) sim.inject({ ...like, bytes });
}

function perform(sim: Simulation, kind: Life['acts'][number]['act']['kind'], by: End): void {
  const plane = by === 'client' ? sim.clientPlane : sim.peerPlane;
  if (!plane || plane.isClosed) return;
  const sa = sim.peerName;
  const spiIn = plane.sas.at(-1)?.spiIn;
  const tell = (event: Parameters<Simulation['tell']>[0]): void => {
    if (by === 'client') sim.tell(event);
    else if (event.kind !== 'start' && event.kind !== 'datagram' && event.kind !== 'timer' && event.kind !== 'close')
      sim.tellGateway({ ...event, sa });
  };
  if (kind === 'rebind') sim.rebind();
  else if (kind === 'rekey-ike') tell({ kind: 'rekey', what: 'ike' });
  else if (kind === 'liveness') tell({ kind: 'checkLiveness' });
  else if (spiIn === undefined) return;
  else if (kind === 'rekey-child') tell({ kind: 'rekey', what: { spiIn } });
  else if (kind === 'limit') tell({ kind: 'childLimit', spiIn });
  else tell({ kind: 'deleteChild', spiIn });
}

const viewsOf = (sim: Simulation, victim: End): readonly View[] =>
  victim === 'client' ? [sim.client] : [...sim.gateway.values()];

/** Everything that was begun is over, and nothing is over that was not. */
function checkEnd(view: View): void {
  if (!view.closed) throw new Error('it goes on although nobody answers: stuck');
  const installed = view.installed.map(({ spiIn }) => spiIn);
  const same = (a: readonly number[], b: readonly number[]): boolean =>
    [...a].sort((x, y) => x - y).join() === [...b].sort((x, y) => x - y).join();
  if (!same(installed, view.removed)) throw new Error(`installed ${installed}, removed ${view.removed}`);
  const open = view.expected.filter((spi) => !installed.includes(spi) && !view.cancelled.includes(spi));
  if (open.length > 0) throw new Error(`still expected: ${open}`);
}

/** Watches the victim. */
class Watch {
  readonly #victim: End;
  readonly #sim: Simulation;
  readonly #hostile: HostilePeer;
  readonly #keys = new Set<string>();
  readonly #spis = new Set<number>();
  #there = 0;
  #timer: Instant | null = null;
  #asked = 0;
  #isOpen = false;

  constructor(victim: End, sim: Simulation, hostile: HostilePeer) {
    this.#victim = victim;
    this.#sim = sim;
    this.#hostile = hostile;
  }

  see(effects: readonly IkeEffect[], now: Instant): void {
    if (effects.length > MOST_EFFECTS) throw new Error(`${effects.length} effects of one event`);
    for (const effect of effects) {
      if (effect.kind === 'timer') {
        if (effect.at !== null && !(Number.isFinite(effect.at) && effect.at < now + 10 * 24 * 3600_000))
          throw new Error(`a timer at ${effect.at}`);
        this.#timer = effect.at;
      }
      if (effect.kind === 'ask') this.#asked++;
      if (effect.kind === 'step' || effect.kind === 'established') this.#isOpen = true;
      if (effect.kind === 'closed') this.#isOpen = false;
      if (effect.kind === 'removeChild') this.#there--;
      if (effect.kind === 'installChild') this.#install(effect.child);
    }
    // A gateway has several SAs and one timer; its half-open ones are checked by their end. While somebody is asked nothing need run out.
    if (this.#victim === 'client' && this.#isOpen && this.#timer === null && this.#asked === 0)
      throw new Error('something is open and no timer runs');
  }

  #install(child: ChildSa): void {
    this.#there++;
    if (this.#there > MOST_CHILDREN) throw new Error(`${this.#there} CHILD SAs at once`);
    if (this.#spis.has(child.spiIn)) throw new Error(`SPI ${child.spiIn} is used twice`);
    this.#spis.add(child.spiIn);
    for (const key of [child.keyIn, child.keyOut]) {
      const text = Buffer.from(key).toString('hex');
      if (this.#keys.has(text) || /^0+$/.test(text)) throw new Error('keys are installed twice, or zero');
      this.#keys.add(text);
    }
    if (!this.#hostile.namedSpis.has(child.spiOut)) throw new Error(`nobody has named SPI ${child.spiOut}`);
    const allowed = this.#victim === 'client' ? this.#clientAllows(child) : this.#gatewayAllows(child);
    if (!allowed)
      throw new Error(
        `not negotiated: ${child.mode} ${child.proposal} ${child.local.map(formatSelector)} === ${child.remote.map(formatSelector)}`,
      );
  }

  #clientAllows({ mode, remote, local }: ChildSa): boolean {
    const far = [selector('10.77.0.1/32', 47), selector('10.77.1.0/24'), selector('10.77.2.0/24')];
    return mode === 'tunnel' && local.length > 0 && remote.length > 0 && remote.every((one) => isWithin(one, far));
  }

  #gatewayAllows({ mode, remote, local }: ChildSa): boolean {
    if (local.length === 0 || remote.length === 0) return false;
    const near = [selector('10.77.0.0/16'), selector(`${GATEWAY}/32`)];
    if (mode === 'transport') return local.every((one) => isWithin(one, near));
    return (
      local.every((one) => isWithin(one, near)) && remote.every((one) => isWithin(one, [selector('10.99.0.5/32')]))
    );
  }

  /** The data plane's own rules (sim/plane.ts). */
  finish(): void {
    const planes = this.#victim === 'client' ? [this.#sim.clientPlane] : [...this.#sim.gatewayPlanes.values()];
    const [violation] = planes.flatMap(({ violations }) => violations);
    if (violation) throw new Error(violation);
    // Handshake messages are answered once; nothing else is sent unasked but what time asks for.
    if (this.#sim.wire.length > 20_000) throw new Error(`${this.#sim.wire.length} datagrams`);
  }
}

const isWithin = (inner: Selector, outer: readonly Selector[]): boolean =>
  outer.some(
    (one) =>
      inner.start.length === one.start.length &&
      compareAddresses(one.start, inner.start) <= 0 &&
      compareAddresses(inner.end, one.end) <= 0 &&
      (one.protocol === 0 || one.protocol === inner.protocol),
  );
