// IKE_AUTH against gateways that authenticate in other ways, or not at all.
import { expect, test } from 'vitest';
import { pskAuth } from '../../../main/ike/auth/psk.ts';
import { Exchange, type Message } from '../../../main/ike/message.ts';
import { NotifyType } from '../../../main/ike/notify.ts';
import { AuthMethod } from '../../../main/ike/payload/auth.ts';
import { identityBytes } from '../../../main/ike/payload/id.ts';
import { type Payload, payloadOf } from '../../../main/ike/payload/payload.ts';
import { ChildOffer } from '../../../main/ike/task/child.ts';
import { IkeAuthTask } from '../../../main/ike/task/ike-auth.ts';
import { answerIkeAuth } from '../../../main/ike/task/ike-auth-responder.ts';
import type { Identity } from '../../../main/ike/types.ts';
import { bytes, initiatorConfig, responderConfig } from '../../sim/simulation.ts';
import { saOf, US } from '../agreed.ts';

const GATEWAY_ID: Identity = { type: 'fqdn', text: 'gateway.example.com' };
const { child: request, identity, credential } = initiatorConfig();
const sa = saOf('initiator');
const child = new ChildOffer({ request, requestAddresses: [], localAddress: US.address, spiIn: 0x1234 });
const task = new IkeAuthTask({ identity, remoteIdentity: GATEWAY_ID, secret: credential.secret }, sa, child);

const messageOf = (payloads: readonly Payload[], response: boolean): Message => ({
  header: { SPIi: 1n, SPIr: 2n, exchange: Exchange.IKE_AUTH, initiator: !response, response, messageId: 1 },
  payloads,
  protected: true,
});
const AUTH = (as: Identity, secret = credential.secret): Uint8Array =>
  pskAuth(sa.suite.prf, secret, {
    realMessage: sa.realMessage2,
    nonce: sa.Ni,
    SK_p: sa.keys.SK_pr,
    idPayload: identityBytes(as),
  });
const answered = (...payloads: Payload[]) => {
  const outcome = task.process(messageOf(payloads, true));
  return outcome.kind === 'authenticated' ? outcome.kind : `${outcome.kind}: ${outcome.error.code}`;
};
const idr = (as = GATEWAY_ID): Payload => ({ kind: 'idr', identity: as });
const auth = (data: Uint8Array, method: number = AuthMethod.SHARED_KEY): Payload => ({ kind: 'auth', method, data });
const notify = (type: number): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: new Uint8Array(0),
  data: new Uint8Array(0),
});

test('the request names both identities and says that it is our first contact', () => {
  const payloads = task.build();
  expect(payloads.slice(0, 4).map((p) => (p.kind === 'notify' ? p.type : p.kind))).toEqual([
    'idi',
    NotifyType.INITIAL_CONTACT,
    'idr',
    'auth',
  ]);
  expect(payloadOf(payloads, 'auth')!.method).toBe(AuthMethod.SHARED_KEY);
});

test('what the gateway can answer', () => {
  expect(answered(idr(), auth(AUTH(GATEWAY_ID)), notify(NotifyType.TS_UNACCEPTABLE))).toBe('authenticated');
  expect(answered(idr(), auth(AUTH(GATEWAY_ID, bytes('wrong'))))).toBe('distrusted: peer-not-authentic');
  expect(answered(idr(), auth(new Uint8Array(0)))).toBe('distrusted: peer-not-authentic');
  expect(answered(idr(), auth(AUTH(GATEWAY_ID), AuthMethod.RSA))).toBe('distrusted: peer-not-authentic');
  expect(answered(idr(), auth(AUTH(GATEWAY_ID), AuthMethod.DIGITAL_SIGNATURE))).toBe('distrusted: peer-not-authentic');
  // Another name, proved, is another matter than a name that is not.
  const other: Identity = { type: 'fqdn', text: 'other.example.com' };
  expect(answered(idr(other), auth(AUTH(other)))).toBe('distrusted: peer-identity-mismatch');
  expect(answered(idr(other), auth(AUTH(GATEWAY_ID)))).toBe('distrusted: peer-not-authentic');
  expect(answered(auth(AUTH(GATEWAY_ID)))).toBe('distrusted: protocol');
  expect(answered(idr())).toBe('distrusted: protocol');
  expect(answered(idr(), { kind: 'eap', data: Uint8Array.of(1, 1, 0, 5, 1) })).toBe('distrusted: peer-not-authentic');
  expect(answered(notify(NotifyType.AUTHENTICATION_FAILED))).toBe('refused: refused-by-peer');
  expect(answered(notify(NotifyType.INVALID_SYNTAX))).toBe('refused: protocol');
  expect(answered(notify(NotifyType.NO_PROPOSAL_CHOSEN))).toBe('refused: no-child-proposal');
});

test('reserved bytes in IDr are covered by AUTH as they came', () => {
  const raw = identityBytes(GATEWAY_ID);
  raw[2] = 0x5a;
  const signed = { realMessage: sa.realMessage2, nonce: sa.Ni, SK_p: sa.keys.SK_pr, idPayload: raw };
  const data = pskAuth(sa.suite.prf, credential.secret, signed);
  expect(answered({ kind: 'idr', identity: GATEWAY_ID, raw }, auth(data))).toBe('authenticated');
  expect(answered(idr(), auth(data))).toBe('distrusted: peer-not-authentic');
});

test('the responder refuses unknown names, other methods and wrong secrets alike', () => {
  const responder = saOf('responder');
  const context = { sa: responder, config: responderConfig(), spiIn: 0x4321, initialContact: () => undefined };
  const ask = (change: (payloads: Payload[]) => Payload[]) =>
    answerIkeAuth(messageOf(change([...task.build()]), false), context);
  expect(ask((p) => p)?.kind).toBe('authenticated');
  const replace = (kind: Payload['kind'], by: Payload[]) => (p: Payload[]) =>
    p.flatMap((one) => (one.kind === kind ? by : [one]));
  const refusals = [
    ask(replace('idi', [{ kind: 'idi', identity: { type: 'fqdn', text: 'mallory' } }])),
    ask(replace('auth', [auth(new Uint8Array(32))])),
    ask(replace('auth', [auth(new Uint8Array(32), AuthMethod.RSA)])),
    ask(replace('auth', [])),
  ];
  for (const refusal of refusals)
    expect(refusal).toMatchObject({ kind: 'refused', payloads: [{ type: NotifyType.AUTHENTICATION_FAILED }] });
  expect(ask(replace('idi', []))).toBeUndefined();
});
