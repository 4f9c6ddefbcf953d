// What a peer with the keys can make an end keep: however often it rekeys, a bounded number of IKE SAs. Nothing is forgotten by time
// here: all of it happens within seconds.
import { queryObjects } from 'node:v8';
import { expect, test } from 'vitest';
import { IkeSa } from '../../main/ike/sa.ts';
import { Simulation } from '../sim/simulation.ts';

const RETRANSMISSION = { first: 500, factor: 2, most: 4000, tries: 8 };
const options = {
  initiator: { retransmission: RETRANSMISSION, livenessInterval: 20_000, proposals: ['aes256gcm16-prfsha256-ecp256'] },
  responder: {
    retransmission: RETRANSMISSION,
    livenessInterval: 20_000,
    proposals: ['aes256gcm16-prfsha256-ecp256'],
    ticketLifetime: 3600,
  },
  network: { delay: [1, 1] as const },
};

/** Collects garbage before it counts. */
const sas = (): number => queryObjects(IkeSa, { format: 'count' });

test.each(['client', 'gateway'] as const)('a %s that rekeys the IKE SA without end', (who) => {
  const before = sas();
  const sim = new Simulation(options).connect(5_000);
  for (let i = 0; i < 100; i++) {
    if (who === 'client') sim.tell({ kind: 'rekey', what: 'ike' });
    else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: 'ike' });
    sim.run(20);
  }
  expect(sim.client.rekeyed).toBeGreaterThan(90);
  expect(sim.client.closed).toBeUndefined();
  // At two ends.
  expect(sas() - before).toBeLessThan(25);
  sim.tell({ kind: 'checkLiveness' }).tellGateway({ kind: 'checkLiveness', sa: sim.peerName }).run(60_000);
  expect([sim.client.closed, sim.peer.closed]).toEqual([undefined, undefined]);
});
