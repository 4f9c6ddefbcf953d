// On every path that an IKE SA can end by, each array that ever held one of its keys is zeros afterwards, at both ends: SK_*, g^ir, SK(n),
// and the keys of CHILD SAs that no data plane has taken over. The arrays are the product's own (derived.ts).
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fixedPpkId } from '../../main/ike/auth/ppk.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { IkePeer } from '../../main/ike/peer.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { createDrive } from '../../main/session/drive.ts';
import { hostileRun } from '../fuzz/ike-state.ts';
import { bytes, initiatorConfig } from '../sim/parties.ts';
import { seededNumbers } from '../sim/random.ts';
import { type Datagram, Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { expectUp } from '../sim/up.ts';
import { hearDerivedKeys, type Keymat, type Mixing } from './derived.ts';

vi.mock('../../main/ike/keymat.ts', async (load) => (await import('./derived.ts')).hearingKeymat(await load<Keymat>()));
vi.mock('../../main/ike/auth/ppk.ts', async (load) => (await import('./derived.ts')).hearingPpk(await load<Mixing>()));

let held: { readonly name: string; readonly key: Uint8Array }[] = [];
const listen = (): void => {
  held = [];
  hearDerivedKeys((name, key) => {
    // That one is a copy made here.
    if (name !== 'SKEYSEED') held.push({ name, key });
  });
};
afterEach(() => hearDerivedKeys(() => {}));

const isZero = (key: Uint8Array): boolean => key.every((byte) => byte === 0);
const left = (): readonly string[] => held.filter(({ key }) => !isZero(key)).map(({ name }) => name);

/** What installed CHILD SAs are sealed with is the data plane's to wipe (main/esp/child.ts). */
function takenOver(children: readonly ChildSa[]): void {
  for (const { keyIn, saltIn, keyOut, saltOut, integrityKeyIn, integrityKeyOut } of children)
    for (const key of [keyIn, saltIn, keyOut, saltOut, integrityKeyIn, integrityKeyOut]) key?.fill(0);
}

const installedIn = (sim: Simulation): readonly ChildSa[] =>
  [sim.client, ...sim.gateway.values()].flatMap(({ installed }) => installed);

function simulate(options: SimulationOptions = {}): Simulation {
  listen();
  const checks = { livenessInterval: 20_000 };
  return new Simulation({
    ...options,
    initiator: { ...checks, ...options.initiator },
    responder: { ...checks, ...options.responder },
  });
}

/** Both ends are closed, and nothing is left. */
function expectNothingLeft(sim: Simulation, derived = true): void {
  sim.run(400_000);
  expect(sim.client.closed).toBeDefined();
  for (const view of sim.gateway.values()) expect(view.closed).toBeDefined();
  takenOver(installedIn(sim));
  expect(held.length > 0).toBe(derived);
  expect(left()).toEqual([]);
}

const isExchange = (datagram: Datagram, exchange: number): boolean => datagram.bytes[18] === exchange;
const silentFrom = (exchange: number): SimulationOptions['network'] => {
  let met = false;
  return {
    touch: (datagram) => {
      met ||= isExchange(datagram, exchange);
      return met ? [] : [datagram];
    },
  };
};

const PQ: { readonly initiator: Partial<InitiatorConfig>; readonly responder: Partial<ResponderConfig> } = {
  initiator: { proposals: ['aes128-sha256-x25519-ke1_ecp256'] },
  responder: { proposals: ['aes128-sha256-x25519-ke1_ecp256'] },
};

test('while a connection is up its keys are there: the test sees them', () => {
  const sim = simulate().connect(10_000);
  expectUp(sim);
  expect(left()).toEqual(expect.arrayContaining(['SK_d', 'SK_ei', 'SK_er', 'ESP initiatorKey']));
});

describe.each([
  ['one key exchange', {}],
  ['additional key exchanges, and a cipher with integrity of its own', PQ],
] as const)('%s', (_, base: Pick<SimulationOptions, 'initiator' | 'responder'>) => {
  test.each(['client', 'gateway'] as const)('closed by the %s', (who) => {
    const sim = simulate(base).connect(10_000);
    if (who === 'client') sim.tell({ kind: 'close' });
    else sim.tellGateway({ kind: 'close' });
    expectNothingLeft(sim);
  });

  test('refused: another secret', () => {
    const credential = { kind: 'psk', secret: bytes('another secret') } as const;
    expectNothingLeft(simulate({ ...base, initiator: { ...base.initiator, credential } }).connect());
  });

  test('refused: no CHILD SA', () => {
    const child = { ...initiatorConfig().child, proposals: ['aes256gcm16'] };
    expectNothingLeft(simulate({ ...base, initiator: { ...base.initiator, child } }).connect());
  });

  test.each([
    ['IKE_AUTH', 35],
    ['CREATE_CHILD_SA', 36],
    ['INFORMATIONAL', 37],
    ['IKE_INTERMEDIATE', 43],
  ] as const)('silence from %s on', (_, exchange) => {
    const sim = simulate({ ...base, network: silentFrom(exchange) ?? {} }).connect(10_000);
    sim.tell({ kind: 'rekey', what: 'ike' }).run(60_000).tell({ kind: 'close' });
    expectNothingLeft(sim);
  });

  test.each(['client', 'gateway', 'both'] as const)('rekeyed by %s, then closed', (who) => {
    const sim = simulate(base).connect(10_000);
    for (let i = 0; i < 3; i++) {
      const [ours] = sim.client.installed.slice(-1);
      if (who !== 'gateway') {
        sim.tell({ kind: 'rekey', what: 'ike' });
        if (ours) sim.tell({ kind: 'childLimit', spiIn: ours.spiIn });
      }
      if (who !== 'client') {
        sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
        if (ours) sim.tellGateway({ kind: 'childLimit', sa: sim.peerName, spiIn: ours.spiOut });
      }
      sim.run(5_000);
    }
    expect(sim.client.rekeyed).toBeGreaterThan(0);
    sim.tell({ kind: 'close' });
    expectNothingLeft(sim);
  });

  test('lost in the middle of a rekeying', () => {
    const sim = simulate(base).connect(10_000);
    sim.tell({ kind: 'rekey', what: 'ike' }).run(5);
    sim.network = { loss: 1 };
    expectNothingLeft(sim);
  });
});

test('replaced by another connection of the same client (INITIAL_CONTACT)', () => {
  const before = simulate().connect(10_000);
  const heard = held;
  const after = new Simulation({ after: before, seed: 2, initiator: { livenessInterval: 20_000 } }).connect(10_000);
  expectUp(after);
  after.tell({ kind: 'close' }).run(400_000);
  // The first client finds out by itself.
  before.network = { loss: 1 };
  before.run(400_000);
  expect(before.client.closed).toBeDefined();
  takenOver(installedIn(before));
  takenOver(installedIn(after));
  expect(heard.filter(({ key }) => !isZero(key)).map(({ name }) => name)).toEqual([]);
  expect(left()).toEqual([]);
});

test.each(['while authenticating', 'later'] as const)('sent to another gateway %s', (when) => {
  const to = { kind: 'name', name: 'other.example.com' } as const;
  const redirect = when === 'later' ? {} : { authenticated: () => to };
  const sim = simulate({ initiator: { takesRedirects: true }, responder: { redirect } }).connect(10_000);
  if (when === 'later') sim.tellGateway({ kind: 'redirect', sa: sim.peerName, to }).run(60_000);
  expect(sim.client.closed?.by).toBe('redirect');
  expectNothingLeft(sim);
});

test('resumed: what a ticket stands for is its holder’s, and nothing else is left', () => {
  const first = simulate({ initiator: { wantsTickets: true }, responder: { ticketLifetime: 3600 } }).connect(10_000);
  const ticket = first.client.tickets.at(-1);
  expect(ticket).toBeDefined();
  const second = new Simulation({
    after: first,
    seed: 2,
    initiator: { resume: ticket, wantsTickets: true, livenessInterval: 20_000 },
  }).connect(10_000);
  expectUp(second);
  second.tell({ kind: 'close' }).run(400_000);
  first.network = { loss: 1 };
  first.run(400_000);
  // Whoever holds tickets wipes them: a session when it ends (session/ticket-holder.ts).
  for (const one of [...first.client.tickets, ...second.client.tickets]) one?.wipe();
  takenOver(installedIn(first));
  takenOver(installedIn(second));
  const word = Buffer.from('Resumption').toString('hex');
  const others = held.filter(({ key }) => !isZero(key) && Buffer.from(key).toString('hex') !== word);
  expect(others.map(({ name }) => name)).toEqual([]);
});

test('with a PPK, known and not', () => {
  const ppk = { id: fixedPpkId('office'), secret: bytes('a key for after the quantum') };
  for (const secret of [ppk.secret, bytes('another one'), undefined]) {
    const authentication = {
      credential: { kind: 'psk' },
      rounds: [['psk']],
      authorities: [],
      ppk: { required: false, of: () => secret },
    } as const;
    const sim = simulate({ initiator: { ppk: { ...ppk, required: false } }, responder: { authentication } });
    sim.connect(10_000).tell({ kind: 'close' });
    expectNothingLeft(sim);
  }
});

test('stopped by a fault of our own (session/drive.ts)', () => {
  const sim = simulate().connect(10_000);
  const { initiator } = sim;
  const peer: IkePeer = {
    handle(event, now) {
      if (event.kind === 'checkLiveness') throw new Error('a defect');
      return initiator.handle(event, now);
    },
  };
  const closed = vi.fn();
  const nothing = (): void => {};
  const later = async (): Promise<void> => {};
  const drive = createDrive(
    peer,
    { now: () => sim.now, wall: () => 0, setTimer: () => ({ cancel: nothing }) },
    {
      send: nothing,
      keepalive: nothing,
      expect: later,
      cancel: nothing,
      install: later,
      move: nothing,
      remove: nothing,
      step: nothing,
      established: nothing,
      rekeyed: nothing,
      refused: nothing,
      ask: async () => ({ kind: 'verified' }),
      ticket: nothing,
      reauthenticate: nothing,
      log: nothing,
      closed,
      lastInbound: () => 0,
    },
  );
  drive.feed({ kind: 'checkLiveness' });
  expect(closed).toHaveBeenCalledOnce();
  expect(drive.over).toBe(true);
  // Nobody drives it any more; the gateway finds out by itself.
  Object.defineProperty(sim, 'initiator', { value: { handle: () => [] } });
  sim.run(400_000);
  expect(sim.peer.closed).toBeDefined();
  takenOver(installedIn(sim));
  expect(left()).toEqual([]);
});

test('whatever a peer with the keys does (test/fuzz/ike-state.ts)', () => {
  const number = seededNumbers(Number(process.env.CULVERT_SEED ?? 5));
  for (let i = 0; i < 25; i++) {
    const seed = Math.floor(number() * 1_000_000);
    listen();
    const run = hostileRun(seed);
    takenOver(run.children);
    expect(left(), `seed ${seed}`).toEqual([]);
  }
});
