// The client moves under a connection (RFC 4555): other addresses, NATs that come and go, packets lost, doubled and out of order. In the
// end both ends mean the same path, and packets go through, or the connection has ended.
import { describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../main/wire/address.ts';
import { address, GATEWAY } from './parties.ts';
import { seededNumbers } from './random.ts';
import { Simulation } from './simulation.ts';

const PLACES = ['192.0.2.2', '192.0.2.22', '203.0.113.50', '203.0.113.51'];
const planes = { slow: 20, every: 100 };
const initiator = { mobike: true, livenessInterval: 5_000 };

const hold = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what);
};

/** Both ends are up, and mean the same path. */
function agree(sim: Simulation): void {
  const { client, peer } = sim;
  const [ours, theirs] = [client.moves.at(-1), peer.moves.at(-1)];
  if (!ours && !theirs) return;
  const seen = formatEndpoint(sim.clientSeen);
  hold(
    theirs !== undefined && formatEndpoint(theirs.peer) === seen,
    `ESP goes to ${theirs && formatEndpoint(theirs.peer)}, not ${seen}`,
  );
  const nat = sim.network.nat ?? false;
  const expected = nat ? 'udp' : 'raw';
  hold(theirs?.encapsulation === expected, `their ESP is ${theirs?.encapsulation}, not ${expected}`);
  // A NAT that only changed its port is the gateway's concern.
  if (!ours) return;
  hold(formatEndpoint(ours.peer) === `${sim.gatewayAt}:4500`, 'we send elsewhere');
  hold(ours.encapsulation === expected, `our ESP is ${ours.encapsulation}, not ${expected}`);
  hold(ours.behindNat?.local === nat, 'we are wrong about our NAT');
}

/** Packets go through, in either direction. */
function carries(sim: Simulation): void {
  const before = [sim.clientPlane.delivered, sim.peerPlane?.delivered ?? 0];
  sim.run(2_000);
  hold(sim.clientPlane.delivered > (before[0] ?? 0), 'nothing comes to the client');
  hold((sim.peerPlane?.delivered ?? 0) > (before[1] ?? 0), 'nothing comes to the gateway');
}

function schedule(seed: number): 'up' | 'closed' {
  const number = seededNumbers(seed);
  const bad = { loss: 0.3, duplicate: 0.3, delay: [5, 700] as const };
  const sim = new Simulation({ seed, planes, initiator, responder: { mobike: {} } });
  sim.network = { delay: [5, 30], nat: number() < 0.5 };
  sim.tell({ kind: 'start' }).run(5_000).traffic();
  hold(sim.client.established?.mobike === true && sim.peer.established?.mobike === true, 'not established');
  const spis = sim.client.installed.length;
  sim.network = { ...bad, nat: sim.network.nat ?? false };
  const moves = 1 + Math.floor(number() * 4);
  for (let i = 0; i < moves; i++) {
    const what = number();
    const place = PLACES[Math.floor(number() * PLACES.length)] ?? GATEWAY;
    if (what < 0.7) sim.move(place, number() < 0.5);
    // The NAT forgets us, and nobody tells.
    else if (sim.network.nat) sim.rebind();
    const rekeys = number();
    if (rekeys < 0.25) sim.tell({ kind: 'rekey', what: 'ike' });
    else if (rekeys < 0.5) sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
    if (number() < 0.3) sim.tellGateway({ kind: 'checkLiveness', sa: sim.peerName });
    sim.run(number() * (number() < 0.5 ? 300 : 6_000));
  }
  // The network gets well again, and there is time for everything that is still to be said.
  sim.network = { delay: [5, 30], nat: sim.network.nat ?? false };
  sim.run(90_000);
  const { closed } = sim.client;
  if (closed || sim.peer.closed) {
    const isSilence = closed?.by === 'error' && closed.error.code === 'no-response';
    hold(!closed || isSilence || closed.by === 'peer', `it ended by ${closed?.by}`);
    return 'closed';
  }
  agree(sim);
  carries(sim);
  hold(sim.client.installed.length === spis, 'CHILD SAs were made anew');
  return 'up';
}

describe('a client that moves', () => {
  test('random schedules end on one path', () => {
    const from = Number(process.env.CULVERT_SEED ?? 1);
    const count = Number(process.env.CULVERT_SIM_RUNS ?? (process.env.CULVERT_SEED ? 1 : 100));
    const ends = { up: 0, closed: 0 };
    for (let seed = from; seed < from + count; seed++) {
      try {
        ends[schedule(seed)]++;
      } catch (error) {
        throw new Error(`CULVERT_SEED=${seed} repeats this: ${(error as Error).message}`, { cause: error });
      }
    }
    console.log(`MOBIKE, seeds ${from} to ${from + count - 1}: ${ends.up} up, ${ends.closed} ended`);
    expect(ends.closed).toBeLessThanOrEqual(count * 0.05);
  }, 600_000);

  test('rekeying afterwards inherits the path: nothing is told twice', () => {
    const sim = new Simulation({ planes, initiator: { mobike: true }, responder: { mobike: {} } });
    sim.tell({ kind: 'start' }).run(5_000).traffic();
    sim.move('192.0.2.22', true).run(5_000);
    expect(sim.client.moves).toHaveLength(1);
    sim.tell({ kind: 'rekey', what: 'ike' }).run(5_000);
    sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' }).run(5_000);
    expect([sim.client.rekeyed, sim.peer.rekeyed]).toEqual([2, 2]);
    expect([sim.client.moves.length, sim.peer.moves.length]).toEqual([1, 1]);
    agree(sim);
    carries(sim);
  });

  test('to another gateway address, when the one in use cannot be reached from there', () => {
    const additional = '198.51.100.9';
    const sim = new Simulation({
      planes,
      initiator,
      responder: { mobike: { additionalAddresses: [address('2001:db8::1'), address(additional)] } },
    });
    sim.tell({ kind: 'start' }).run(5_000).traffic();
    sim.gatewayAt = additional;
    sim.move('192.0.2.22').run(20_000);
    expect(sim.client.closed).toBeUndefined();
    expect(formatEndpoint(sim.client.moves.at(-1)!.peer)).toBe('198.51.100.9:4500');
    agree(sim);
    carries(sim);
  });

  test('without a move, when the gateway’s address goes silent', () => {
    const additional = '198.51.100.9';
    const sim = new Simulation({
      planes,
      initiator,
      responder: { mobike: { additionalAddresses: [address(additional)] } },
    });
    sim.tell({ kind: 'start' }).run(5_000).traffic();
    sim.gatewayAt = additional;
    sim.run(30_000);
    expect(sim.client.closed).toBeUndefined();
    agree(sim);
    carries(sim);
  });
});
