// What the hostile peers of ike-state.test.ts have found, one case each.
import { afterEach, expect, test } from 'vitest';
import { Exchange } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import { IkeSa } from '../../main/ike/sa.ts';
import { Simulation } from '../sim/simulation.ts';

const honest = IkeSa.prototype.seal;
afterEach(() => {
  IkeSa.prototype.seal = honest;
});

const notify = (type: number): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: new Uint8Array(0),
  data: new Uint8Array(0),
});

/** Whoever answers a CREATE_CHILD_SA answers this. */
function answering(payloads: readonly Payload[]): void {
  IkeSa.prototype.seal = function (this: IkeSa, message) {
    const other = message.response && message.exchange === Exchange.CREATE_CHILD_SA;
    return honest.call(this, other ? { ...message, payloads } : message);
  };
}

test('a gateway that refuses to rekey the IKE SA is connected to anew', () => {
  const sim = new Simulation().connect(10_000);
  answering([notify(NotifyType.NO_PROPOSAL_CHOSEN)]);
  sim.tell({ kind: 'rekey', what: 'ike' }).run(10_000);
  expect(sim.client.closed).toBeUndefined();
  expect(sim.client.reauthenticate).toBe(1);
});

test.each(['client', 'gateway'] as const)('a %s that fails while it makes a CHILD SA expects it no more', (who) => {
  const sim = new Simulation().connect(10_000);
  // Critical, and nobody knows it: INVALID_SYNTAX.
  answering([{ kind: 'unknown', type: 200, critical: true, data: new Uint8Array(0) }]);
  const [view, spiIn] =
    who === 'client'
      ? [sim.client, sim.client.installed[0]?.spiIn ?? 0]
      : [sim.peer, sim.peer.installed[0]?.spiIn ?? 0];
  if (who === 'client') sim.tell({ kind: 'rekey', what: { spiIn } });
  else sim.tellGateway({ kind: 'rekey', sa: sim.peerName, what: { spiIn } });
  sim.run(10_000);
  expect(view.closed).toMatchObject({ by: 'error', error: { code: 'protocol' } });
  const made = view.installed.map((child) => child.spiIn);
  expect(view.expected.filter((spi) => !made.includes(spi) && !view.cancelled.includes(spi))).toEqual([]);
  expect(view.cancelled.length).toBe(1);
});
