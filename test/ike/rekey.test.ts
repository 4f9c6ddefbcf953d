// Rekeying between two real peers, one case at a time; test/sim/life.test.ts plays thousands at random.
import { describe, expect, test } from 'vitest';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { mirrored } from '../sim/mirrored.ts';
import { initiatorConfig, selector } from '../sim/parties.ts';
import { type Datagram, type NetworkOptions, Simulation } from '../sim/simulation.ts';
import { expectUp } from '../sim/up.ts';

const CREATE_CHILD_SA = 36;
const INFORMATIONAL = 37;
const IKE_FOLLOWUP_KE = 44;
const exchange = ({ bytes }: Datagram): number => bytes[18]!;
const isResponse = ({ bytes }: Datagram): boolean => (bytes[19]! & 0x20) !== 0;
const SPIi = ({ bytes }: Datagram): string => Buffer.from(bytes.subarray(0, 8)).toString('hex');

interface Change {
  readonly initiator?: Partial<InitiatorConfig>;
  readonly responder?: Partial<ResponderConfig>;
  readonly network?: NetworkOptions;
  readonly seed?: number;
}

const connected = (change: Change = {}): Simulation => {
  const sim = new Simulation(change).connect(10_000);
  expectUp(sim);
  return sim;
};

const live = (view: Simulation['client']) => view.installed.filter((child) => !view.removed.includes(child.spiIn));
const names = (sim: Simulation, from = 0): string[] =>
  sim.wire
    .slice(from)
    .map((one) => `${one.direction === 'to-responder' ? '>' : '<'}${exchange(one)}${isResponse(one) ? 'r' : ''}`);

/** Both ends have the same CHILD SAs, `count` of them, and still share an IKE SA. */
function expectAgreement(sim: Simulation, count = 1): void {
  const [ours, theirs] = [live(sim.client), live(sim.peer)];
  expect(ours.length).toBe(count);
  expect(theirs.length).toBe(count);
  for (const child of ours) expect(theirs).toContainEqual(mirrored(child));
  sim.tell({ kind: 'checkLiveness' }).tellGateway({ kind: 'checkLiveness', sa: sim.peerName }).run(30_000);
  expect([sim.client.closed, sim.peer.closed]).toEqual([undefined, undefined]);
}

const rekeyChild = (sim: Simulation, by: 'client' | 'gateway'): void => {
  if (by === 'client') sim.tell({ kind: 'rekey', what: { spiIn: live(sim.client).at(-1)!.spiIn } });
  else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: { spiIn: live(sim.peer).at(-1)!.spiIn } });
};
const rekeyIke = (sim: Simulation, by: 'client' | 'gateway'): void => {
  if (by === 'client') sim.tell({ kind: 'rekey', what: 'ike' });
  else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
};

describe('a CHILD SA', () => {
  test.each(['client', 'gateway'] as const)('is replaced by the %s, who deletes the old one', (by) => {
    const sim = connected();
    const from = sim.wire.length;
    const [old] = live(sim.client);
    rekeyChild(sim, by);
    sim.run(10_000);
    // CREATE_CHILD_SA {N(REKEY_SA), …}  -->  <--  …, then INFORMATIONAL {D}  -->  <--  {D}
    const there = by === 'client' ? '>' : '<';
    const back = by === 'client' ? '<' : '>';
    expect(names(sim, from)).toEqual([`${there}36`, `${back}36r`, `${there}37`, `${back}37r`]);
    expect(sim.client.installed.length).toBe(2);
    expect(sim.client.removed).toEqual([old!.spiIn]);
    expect(sim.peer.removed).toEqual([old!.spiOut]);
    // RFC 7296 §2.9.2: neither narrower nor wider.
    expect(live(sim.client)[0]).toMatchObject({ local: old!.local, remote: old!.remote, mode: old!.mode });
    expectAgreement(sim);
  });

  test('with a key exchange of its own where both ends name one; the group that the peer insists on is tried next', () => {
    const sim = connected({
      initiator: { child: { ...initiatorConfig().child, proposals: ['aes128gcm16-ecp256-ecp384'] } },
      responder: { childProposals: ['aes128gcm16-ecp384'] },
    });
    const from = sim.wire.length;
    rekeyChild(sim, 'client');
    sim.run(10_000);
    // <--  N(INVALID_KE_PAYLOAD)
    expect(names(sim, from)).toEqual(['>36', '<36r', '>36', '<36r', '>37', '<37r']);
    expect(live(sim.client)[0]!.proposal).toBe('aes128gcm16-ecp384');
    expect(sim.client.cancelled.length).toBe(1);
    expectAgreement(sim);
  });

  test.each([
    ['preferred', 'aes128gcm16'],
    ['required', undefined],
  ] as const)('with a peer that does no PFS, where it is %s', (pfs, proposal) => {
    const sim = connected({
      initiator: { child: { ...initiatorConfig().child, proposals: ['aes128gcm16-ecp256'], pfs } },
      // A gateway that would rather not: its only group is not ours.
      responder: { childProposals: ['aes128gcm16-ecp521-none', 'aes128gcm16'] },
    });
    rekeyChild(sim, 'client');
    sim.run(10_000);
    if (proposal) expect(live(sim.client)[0]!.proposal).toBe(proposal);
    // Refused, the SA goes on until its end; a new connection has to come before that.
    else expect([sim.client.installed.length, sim.client.reauthenticate]).toEqual([1, 1]);
    expectAgreement(sim);
  });

  test('a soft limit replaces it too', () => {
    const sim = connected();
    const [old] = live(sim.client);
    sim.tell({ kind: 'childLimit', spiIn: old!.spiIn }).tell({ kind: 'childLimit', spiIn: old!.spiIn }).run(10_000);
    sim.tell({ kind: 'childLimit', spiIn: old!.spiIn }).run(10_000);
    expect(sim.client.installed.length).toBe(2);
    expectAgreement(sim);
  });

  test('time replaces it, a little earlier than told', () => {
    const lifetime = { child: 100_000, ike: 0, reauth: 0, jitter: 0.2 };
    const sim = connected({ initiator: { lifetime } });
    sim.run(75_000);
    expect(sim.client.installed.length).toBe(1);
    sim.run(26_000);
    expect(sim.client.installed.length).toBe(2);
    expectAgreement(sim);
  });

  test('rekeyed by both at once: the one made with the lowest nonce goes (RFC 7296 §2.8.1)', () => {
    let byClient = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const sim = connected({ seed });
      rekeyChild(sim, 'client');
      rekeyChild(sim, 'gateway');
      sim.run(10_000);
      // Three at each end: the old one, the winner, and a loser that its maker deletes.
      expect([sim.client.installed.length, sim.peer.installed.length]).toEqual([3, 3]);
      expect([sim.client.removed.length, sim.peer.removed.length]).toEqual([2, 2]);
      if (sim.client.activations.includes('never')) byClient++;
      expect(sim.client.activations.filter((how) => how === 'never').length).toBe(
        1 - sim.peer.activations.filter((how) => how === 'never').length,
      );
      expectAgreement(sim);
    }
    expect(byClient).toBeGreaterThan(0);
    expect(byClient).toBeLessThan(8);
  });

  test('the peer has replaced it before our request arrives: CHILD_SA_NOT_FOUND is of no interest (§2.8.1)', () => {
    let drop = true;
    const touch = (one: Datagram): readonly Datagram[] =>
      drop && one.direction === 'to-responder' && exchange(one) === CREATE_CHILD_SA && !isResponse(one) ? [] : [one];
    const sim = connected({ network: { touch } });
    rekeyChild(sim, 'client');
    rekeyChild(sim, 'gateway');
    sim.run(200);
    drop = false;
    sim.run(10_000);
    expect(sim.log.join('\n')).toContain('there is no such CHILD SA');
    expect(sim.client.installed.length).toBe(2);
    expectAgreement(sim);
  });

  test('rekeyed while it is being deleted: TEMPORARY_FAILURE, and it is gone at both ends (§2.25.1)', () => {
    const sim = connected();
    sim.tell({ kind: 'deleteChild', spiIn: live(sim.client)[0]!.spiIn });
    rekeyChild(sim, 'gateway');
    sim.run(60_000);
    expect([live(sim.client), live(sim.peer)]).toEqual([[], []]);
    expectAgreement(sim, 0);
  });

  test('deleted by both at once: the answers name nothing (§1.4.1)', () => {
    const sim = connected();
    sim.tell({ kind: 'deleteChild', spiIn: live(sim.client)[0]!.spiIn });
    sim.tellGateway({ kind: 'deleteChild', sa: sim.peerName, spiIn: live(sim.peer)[0]!.spiIn });
    sim.run(10_000);
    expect([sim.client.removed.length, sim.peer.removed.length]).toEqual([1, 1]);
    expectAgreement(sim, 0);
  });

  test('that the peer deletes is made anew where the configuration says so, but not for ever', () => {
    const sim = connected({ initiator: { remakeChildren: true } });
    for (let i = 1; i <= 3; i++) {
      sim.tellGateway({ kind: 'deleteChild', sa: sim.peerName, spiIn: live(sim.peer)[0]!.spiIn }).run(10_000);
      expect(live(sim.client).length).toBe(1);
    }
    expectAgreement(sim);
  });

  test('that cannot be installed is deleted, and the old one stays', () => {
    const sim = connected();
    rekeyChild(sim, 'client');
    sim.run(15);
    const spiIn = sim.client.expected.at(-1)!;
    sim.run(500, () => sim.client.installed.length === 2);
    sim.tell({ kind: 'childInstalled', spiIn, error: 'no slot' }).run(30_000);
    expectAgreement(sim);
  });
});

describe('the IKE SA', () => {
  test.each(['client', 'gateway'] as const)(
    'is replaced by the %s, who is then its original initiator (§2.18)',
    (by) => {
      const sim = connected();
      const before = SPIi(sim.wire.at(-1)!);
      const [child] = live(sim.client);
      rekeyIke(sim, by);
      sim.run(10_000);
      expect([sim.client.rekeyed, sim.peer.rekeyed]).toEqual([1, 1]);
      expect([sim.client.removed, sim.peer.removed]).toEqual([[], []]);
      const from = sim.wire.length;
      sim.tell({ kind: 'checkLiveness' }).run(1_000);
      const [request] = sim.wire.slice(from);
      expect(SPIi(request!)).not.toBe(before);
      // Message IDs start anew; the initiator flag says whose SPI is the first.
      expect(new DataView(request!.bytes.buffer, request!.bytes.byteOffset).getUint32(20)).toBe(0);
      expect((request!.bytes[19]! & 0x08) !== 0).toBe(by === 'client');
      // The CHILD SA is inherited: it can be replaced from both sides.
      rekeyChild(sim, 'gateway');
      sim.run(10_000);
      rekeyChild(sim, 'client');
      sim.run(10_000);
      expect(sim.client.removed).toContain(child!.spiIn);
      expectAgreement(sim);
    },
  );

  test('rekeyed by both at once: one new one stays, from whichever end (§2.8.2)', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const sim = connected({ seed });
      rekeyIke(sim, 'client');
      rekeyIke(sim, 'gateway');
      sim.run(60_000);
      expect([sim.client.rekeyed, sim.peer.rekeyed]).toEqual([1, 1]);
      expectAgreement(sim);
    }
  });

  test('while it is being rekeyed no CHILD SA is: TEMPORARY_FAILURE, and once more later (§2.25.2)', () => {
    const sim = connected();
    rekeyIke(sim, 'client');
    rekeyChild(sim, 'gateway');
    sim.run(30_000);
    expect(sim.log.join('\n')).toContain('TEMPORARY_FAILURE');
    expect(sim.client.installed.length).toBe(2);
    expect(sim.client.rekeyed).toBe(1);
    expectAgreement(sim);
  });

  test('the Delete of the old one is answered again when the answer is lost', () => {
    let lost = 0;
    const touch = (one: Datagram): readonly Datagram[] =>
      exchange(one) === INFORMATIONAL && isResponse(one) && lost++ < 2 ? [] : [one];
    const sim = connected({ network: { touch } });
    rekeyIke(sim, 'client');
    sim.run(20_000);
    expect(lost).toBeGreaterThan(2);
    expectAgreement(sim);
  });

  test('closed while it is being rekeyed: neither end keeps anything', () => {
    for (const by of ['client', 'gateway'] as const) {
      const sim = connected();
      rekeyIke(sim, by);
      sim.run(12);
      sim.tell({ kind: 'close' }).run(60_000);
      expect(sim.client.closed).toEqual({ by: 'us' });
      expect(sim.peer.closed).toEqual({ by: 'peer' });
      expect(live(sim.peer)).toEqual([]);
    }
  });

  test('that cannot be replaced ends after its time', () => {
    const lifetime = { child: 0, ike: 60_000, reauth: 0, jitter: 0 };
    const sim = connected({
      initiator: { lifetime },
      responder: { proposals: ['aes256gcm16-prfsha256-x25519'] },
      network: {
        // Nothing of CREATE_CHILD_SA ever arrives, and its sender takes long to give up.
        touch: (one) => (exchange(one) === CREATE_CHILD_SA ? [] : [one]),
      },
    });
    sim.run(200_000);
    expect(sim.client.closed).toMatchObject({ by: 'error', error: { code: 'no-response' } });
    expect(live(sim.client)).toEqual([]);
  });

  test('asks for authentication anew when its own time has come (§2.8.3)', () => {
    const sim = connected({ initiator: { lifetime: { child: 0, ike: 0, reauth: 100_000, jitter: 0 } } });
    sim.run(85_000);
    expect(sim.client.reauthenticate).toBe(0);
    sim.run(10_000);
    expect(sim.client.reauthenticate).toBe(1);
    expect(sim.client.closed).toBeUndefined();
  });
});

describe('additional key exchanges (RFC 9370 §2.2.4)', () => {
  const hybrid = {
    initiator: {
      proposals: ['aes256gcm16-prfsha256-x25519-ke1_mlkem768'],
      child: { ...initiatorConfig().child, proposals: ['aes128gcm16-x25519-ke1_mlkem768'] },
    },
    responder: {
      proposals: ['aes256gcm16-prfsha256-x25519-ke1_mlkem768'],
      childProposals: ['aes128gcm16-x25519-ke1_mlkem768'],
    },
  };

  test.each(['client', 'gateway'] as const)('follow CREATE_CHILD_SA when the %s rekeys', (by) => {
    const sim = connected(hybrid);
    const followUps = () => sim.wire.filter((one) => exchange(one) === IKE_FOLLOWUP_KE).length;
    rekeyChild(sim, by);
    sim.run(10_000);
    expect(followUps()).toBeGreaterThanOrEqual(2);
    expect(live(sim.client)[0]!.proposal).toBe('aes128gcm16-x25519-ke1_mlkem768');
    const before = followUps();
    rekeyIke(sim, by);
    sim.run(10_000);
    expect(followUps()).toBeGreaterThan(before);
    expect([sim.client.rekeyed, sim.peer.rekeyed]).toEqual([1, 1]);
    expectAgreement(sim);
  });

  test('collide: the loser stops before them, and nothing is made twice', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const sim = connected({ ...hybrid, seed });
      rekeyChild(sim, 'client');
      rekeyChild(sim, 'gateway');
      sim.run(30_000);
      expect([sim.client.installed.length, sim.peer.installed.length]).toEqual([2, 2]);
      rekeyIke(sim, 'client');
      rekeyIke(sim, 'gateway');
      sim.run(60_000);
      expect([sim.client.rekeyed, sim.peer.rekeyed]).toEqual([1, 1]);
      expectAgreement(sim);
    }
  });
});

describe('more CHILD SAs', () => {
  const one = initiatorConfig().child;
  const more = { ...one, name: 'lan', local: [selector('0.0.0.0/0')], remote: [selector('10.77.0.0/16')] };

  test('are made by CREATE_CHILD_SA, narrowed, and replaced each for itself', () => {
    const sim = connected({
      initiator: { child: { ...one, name: 'gre' }, moreChildren: [more] },
      responder: { local: [selector('10.77.0.0/24')] },
    });
    expect(live(sim.client).length).toBe(2);
    expect(live(sim.client)[1]).toMatchObject({
      local: [selector('10.99.0.5/32')],
      remote: [selector('10.77.0.0/24')],
    });
    rekeyChild(sim, 'client');
    rekeyIke(sim, 'gateway');
    sim.run(60_000);
    rekeyChild(sim, 'gateway');
    sim.run(10_000);
    expectAgreement(sim, 2);
  });

  test('that the gateway refuses are told, and the first stays', () => {
    const sim = connected({
      initiator: { moreChildren: [{ ...more, remote: [selector('172.16.0.0/12')] }] },
    });
    sim.run(10_000);
    expect(sim.client.refused).toEqual(['lan']);
    expectAgreement(sim);
  });

  test('beyond what the gateway allows: NO_ADDITIONAL_SAS', () => {
    const sim = connected({ initiator: { moreChildren: [more] }, responder: { mostChildren: 1 } });
    sim.run(10_000);
    expect(sim.client.refused).toEqual(['lan']);
    expectAgreement(sim);
  });
});
