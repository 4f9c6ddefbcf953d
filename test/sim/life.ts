// One life of a connection, drawn from a seed: a bad network, two ends that rekey, delete and reach limits whenever they like, at the
// same time if they can, and a data plane that notices every packet that this loses.
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import type { LifetimePolicy } from '../../main/ike/timing.ts';
import { selector } from './parties.ts';
import { seededNumbers } from './random.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

export interface Life {
  readonly options: SimulationOptions;
  /** What is done to either end, and when; milliseconds from the start, in order. */
  readonly acts: readonly { readonly at: number; readonly act: Act }[];
  readonly closes: 'client' | 'gateway' | 'no';
}

export type Act =
  | { readonly kind: 'rekey-ike' | 'rekey-child' | 'limit' | 'delete-child'; readonly by: 'client' | 'gateway' }
  | { readonly kind: 'rebind' }
  | { readonly kind: 'liveness'; readonly by: 'client' | 'gateway' };

/** Milliseconds of acts, and of the calm after them. */
const WILD = 90_000;
const CALM = 130_000;

/** 30 % of loss lose twelve sendings in a row once in thousands of exchanges. */
const RETRANSMISSION = { first: 500, factor: 1.6, most: 4000, tries: 14 };

const MORE = {
  mode: 'tunnel' as const,
  local: [selector('0.0.0.0/0')],
  localIsDynamic: true,
};

/** RFC 9370. A quick method stands for the slow ones, which have tests of their own; group 19 is the quickest to compute. */
const ADDITIONAL = 'ke1_x25519';

export function lifeOf(seed: number): Life {
  const number = seededNumbers(seed ^ 0x11fe);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(number() * of.length)]!;
  const lifetime = (): LifetimePolicy | undefined =>
    pick<LifetimePolicy | undefined>(
      undefined,
      {
        child: 20_000 + number() * 60_000,
        ike: pick(0, 30_000 + number() * 90_000),
        reauth: 0,
        jitter: pick(0, 0.1, 0.5),
      },
      { child: 0, ike: 30_000 + number() * 90_000, reauth: 0, jitter: pick(0, 0.3) },
    );
  const both = lifetime();
  const same = number() < 0.5;
  const nat = pick(true, false);
  const espOfClient = pick(
    'aes128gcm16',
    'aes128gcm16-ecp256',
    `aes128gcm16-ecp256-${ADDITIONAL}`,
    'aes128gcm16-x25519-ecp256',
    'aes256-sha256-ecp256',
  );
  const espOfGateway = pick(
    'aes128gcm16-ecp256',
    'aes128gcm16',
    'aes128gcm16-ecp256-x25519',
    `aes128gcm16-ecp256-${ADDITIONAL}-ke2_none-ke2_ecp384`,
  );
  const more = pick(0, 0, 1, 2);
  const initiator: Partial<InitiatorConfig> = {
    proposals: [
      ...pick([], [], [`aes256gcm16-prfsha256-ecp256-${pick(ADDITIONAL, `${ADDITIONAL}-ke2_ecp384`)}`]),
      `aes256gcm16-prfsha256-${pick('ecp256', 'ecp256', 'ecp256', 'ecp256-x25519', 'x25519-ecp256')}`,
    ],
    child: {
      mode: 'tunnel',
      proposals: [espOfClient],
      local: [selector('0.0.0.0/0', 47)],
      remote: [selector('10.77.0.1/32', 47)],
      localIsDynamic: true,
      name: 'gre',
    },
    moreChildren: Array.from({ length: more }, (_, i) => ({
      ...MORE,
      name: `more ${i}`,
      proposals: [espOfClient],
      remote: [selector(`10.77.${i + 1}.0/24`)],
    })),
    retransmission: RETRANSMISSION,
    encapsulation: pick('auto', 'udp'),
    livenessInterval: 20_000,
    keepaliveInterval: 20_000,
    lifetime: both,
  };
  const responder: Partial<ResponderConfig> = {
    proposals: [
      `aes256gcm16-prfsha256-ecp256-x25519-${ADDITIONAL}-ke2_none-ke2_ecp384`,
      'aes256gcm16-prfsha256-ecp256-x25519',
    ],
    childProposals: [espOfGateway, 'aes256-sha256-ecp256'],
    local: [selector('10.77.0.0/16')],
    retransmission: RETRANSMISSION,
    livenessInterval: 25_000,
    lifetime: same ? both : lifetime(),
  };
  // Bursts: what happens at both ends within a second or two collides.
  const acts: { at: number; act: Act }[] = [];
  for (let i = 0; i < 3 + number() * 5; i++) {
    const start = 2_000 + number() * WILD;
    for (let j = 0; j < 1 + number() * 4; j++) {
      const by = pick<'client' | 'gateway'>('client', 'gateway');
      const act = pick<Act>(
        { kind: 'rekey-ike', by },
        { kind: 'rekey-ike', by },
        { kind: 'rekey-child', by },
        { kind: 'rekey-child', by },
        { kind: 'limit', by },
        { kind: 'liveness', by },
        nat ? { kind: 'rebind' } : { kind: 'rekey-child', by },
        more > 0 && number() < 0.3 ? { kind: 'delete-child', by } : { kind: 'rekey-ike', by },
      );
      acts.push({ at: start + number() * pick(1, 100, 2000), act });
    }
  }
  return {
    options: {
      seed,
      initiator,
      responder,
      planes: { slow: pick(0, 5, 200), every: 900 },
      network: {
        loss: pick(0.3, 0, number() * 0.3),
        duplicate: number() * 0.3,
        delay: [5, pick(10, 300, 1500)],
        nat,
      },
    },
    acts: acts.sort((a, b) => a.at - b.at),
    closes: pick('client', 'gateway', 'no', 'no', 'no', 'no'),
  };
}

/** Runs it, and says how it ended. Throws where it is stuck, where the ends disagree, or where a packet is lost. */
export function live(life: Life): { readonly sim: Simulation; readonly outcome: 'lived' | 'failed' | 'refused' } {
  const sim = new Simulation(life.options);
  sim.connect(40_000);
  if (sim.client.closed || !sim.client.established) return { sim, outcome: outcomeOfStart(sim) };
  sim.traffic();
  const start = sim.now;
  for (const { at, act } of life.acts) {
    sim.run(Math.max(0, start + at - sim.now));
    perform(sim, act);
  }
  // Calm: whatever is still under way comes to its end, and what time asks for goes on.
  sim.network = { ...sim.network, loss: 0, duplicate: 0, delay: [5, 50] };
  sim.run(CALM);
  settle(sim);
  const views = [...sim.gateway.values()].filter((view) => view.established);
  failOn(sim.clientPlane.violations);
  for (const plane of sim.gatewayPlanes.values()) failOn(plane.violations);
  if (sim.client.closed || views.every((view) => view.closed)) return { sim, outcome: checkFailed(sim) };
  checkAgreement(sim);
  if (life.closes !== 'no') checkClose(sim, life.closes);
  failOn(sim.clientPlane.violations);
  return { sim, outcome: 'lived' };
}

function perform(sim: Simulation, act: Act): void {
  if (act.kind === 'rebind') {
    sim.rebind();
    return;
  }
  const plane = act.by === 'client' ? sim.clientPlane : sim.peerPlane;
  if (!plane || plane.isClosed) return;
  const sa = sim.peerName;
  const spiIn = plane.chains.findLast((chain) => !chain.doomed && chain.active)?.active?.spiIn;
  switch (act.kind) {
    case 'rekey-ike':
      if (act.by === 'client') sim.tell({ kind: 'rekey', what: 'ike' });
      else sim.tellGateway({ kind: 'rekey', sa, what: 'ike' });
      return;
    case 'rekey-child':
      if (spiIn === undefined) return;
      if (act.by === 'client') sim.tell({ kind: 'rekey', what: { spiIn } });
      else sim.tellGateway({ kind: 'rekey', sa, what: { spiIn } });
      return;
    case 'limit':
      if (spiIn === undefined) return;
      if (act.by === 'client') sim.tell({ kind: 'childLimit', spiIn });
      else sim.tellGateway({ kind: 'childLimit', sa, spiIn });
      return;
    case 'liveness':
      if (act.by === 'client') sim.tell({ kind: 'checkLiveness' });
      else sim.tellGateway({ kind: 'checkLiveness', sa });
      return;
    case 'delete-child':
      // The last one stays.
      if (spiIn === undefined || plane.chains.filter((chain) => !chain.doomed && chain.active).length < 2) return;
      sim.doom(plane, spiIn);
      if (act.by === 'client') sim.tell({ kind: 'deleteChild', spiIn });
      else sim.tellGateway({ kind: 'deleteChild', sa, spiIn });
  }
}

/** Until nothing of IKE has been on the wire for some seconds: what time asks for may be under way at any moment. */
function settle(sim: Simulation): void {
  for (let i = 0; i < 200; i++) {
    const before = sim.wire.length;
    sim.run(6_000);
    if (sim.wire.length === before) return;
  }
  throw new Error('the two ends never come to rest');
}

function outcomeOfStart(sim: Simulation): 'refused' {
  if (!sim.client.closed) throw new Error('neither established nor closed: stuck');
  return 'refused';
}

const failOn = (violations: readonly string[]): void => {
  if (violations.length > 0) throw new Error(`${violations.length} violations, first: ${violations[0]}`);
};

/** Lost answers may end it, or the end of a life that was too short for the network; said so at the end that noticed. */
function checkFailed(sim: Simulation): 'failed' {
  const reasons = [sim.client.closed, ...[...sim.gateway.values()].map((view) => view.closed)];
  const codes = reasons.flatMap((reason) => (reason?.by === 'error' ? [reason.error.code] : []));
  if (!codes.some((code) => code === 'no-response'))
    throw new Error(`closed without a good reason: ${JSON.stringify(reasons)}`);
  for (const [who, closed, left] of [
    ['client', sim.client.closed, sim.clientPlane.sas.length] as const,
    ...[...sim.gateway.values()].map((view) => ['gateway', view.closed, 0] as const),
  ]) {
    // Both ends make liveness checks: neither stays behind.
    if (!closed) throw new Error(`the ${who} goes on alone: stuck`);
    if (left > 0) throw new Error(`the ${who} leaves SAs behind`);
  }
  return 'failed';
}

function checkAgreement(sim: Simulation): void {
  const theirs = sim.peerPlane;
  if (!theirs) throw new Error('the gateway has nothing');
  const ours = sim.clientPlane.sas.map(({ spiIn, spiOut, keyIn, keyOut }) => [spiIn, spiOut, keyIn, keyOut].join(' '));
  const mirrored = theirs.sas.map(({ spiIn, spiOut, keyIn, keyOut }) => [spiOut, spiIn, keyOut, keyIn].join(' '));
  if (ours.sort().join('\n') !== mirrored.sort().join('\n'))
    throw new Error(`the ends disagree:\n${ours.join('\n')}\n--\n${mirrored.join('\n')}`);
  for (const plane of [sim.clientPlane, theirs])
    for (const chain of plane.chains) {
      const count = plane.sas.filter((sa) => sa.chain === chain).length;
      const right = chain.doomed ? count === 0 : count === 1 || (chain.late && count === 0);
      if (!right)
        throw new Error(
          `a chain of ${plane.name} has ${count} SAs: ${JSON.stringify({ ...chain, active: undefined })}`,
        );
    }
  // The IKE SA in use is the same: each answers the other.
  sim.tell({ kind: 'checkLiveness' }).tellGateway({ kind: 'checkLiveness', sa: sim.peerName }).run(60_000);
  if (sim.client.closed || sim.peer.closed) throw new Error('the ends no longer share an IKE SA');
}

function checkClose(sim: Simulation, by: 'client' | 'gateway'): void {
  if (by === 'client') sim.tell({ kind: 'close' });
  else sim.tellGateway({ kind: 'close' });
  sim.run(120_000);
  if (!sim.client.closed || [...sim.gateway.values()].some((view) => view.established && !view.closed))
    throw new Error('one end has closed, the other has not heard of it');
}
