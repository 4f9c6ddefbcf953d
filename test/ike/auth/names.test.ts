// Distinguished names that people write in another order than certificates have them (RFC 4514 §2.1), of gateways without a certificate.
import { expect, test } from 'vitest';
import type { Identity } from '../../../main/ike/identity.ts';
import { Exchange } from '../../../main/ike/message.ts';
import { parseName } from '../../../main/pki/distinguished-name.ts';
import { isPkiError } from '../../../main/pki/error.ts';
import { sameDistinguishedName } from '../../../main/pki/identity.ts';
import { Simulation, type SimulationOptions } from '../../sim/simulation.ts';
import { expectUp } from '../../sim/up.ts';
import { answerer, signing } from './answers.ts';

const dn = (text: string): Identity => {
  const name = parseName(text);
  if (isPkiError(name)) throw name;
  return { type: 'der-dn', bytes: name.der };
};
const EXPECTED = dn('CN=gw, O=Example');
const ITS_OWN = dn('O=Example, CN=gw');

const simulate = (expected: Identity, initiator: SimulationOptions['initiator'] = {}, more: SimulationOptions = {}) =>
  new Simulation({
    ...more,
    initiator: { remoteIdentity: expected, sameNames: sameDistinguishedName, wantsTickets: true, ...initiator },
    responder: { identity: ITS_OWN, ticketLifetime: 3600, ...more.responder },
  }).connect();

test('by pre-shared key', () => {
  expect(simulate(EXPECTED).client.established?.remoteIdentity).toEqual(ITS_OWN);
  expect(simulate(EXPECTED, { sameNames: undefined }).client.closed).toMatchObject({
    error: { code: 'peer-identity-mismatch' },
  });
  expect(simulate(dn('CN=other, O=Example')).client.closed).toMatchObject({
    error: { code: 'peer-identity-mismatch' },
  });
});

test('by EAP alone', () => {
  const eap = { packets: 1, msk: 'key' } as const;
  const more: SimulationOptions = {
    responder: {
      authentication: { credential: signing('p256', 'gateway'), rounds: [['eap']], authorities: [], eapOnly: true },
    },
    answers: { client: () => answerer('client', { eap }), gateway: () => answerer('gateway', { eap }) },
  };
  const byEap = { credential: { kind: 'eap', gatewayByEap: true } } as const;
  expect(simulate(EXPECTED, byEap, more).client.established?.remoteIdentity).toEqual(ITS_OWN);
  expect(simulate(dn('CN=other'), byEap, more).client.established).toBeUndefined();
});

test('of a ticket', () => {
  const sim = simulate(EXPECTED);
  const again = simulate(EXPECTED, { resume: sim.client.tickets.at(-1) }, { after: sim, seed: 7 });
  expectUp(again);
  expect(again.wire.map(({ bytes }) => bytes[18])).not.toContain(Exchange.IKE_SA_INIT);
});
