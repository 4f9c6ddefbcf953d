// What goes wrong in IKE_AUTH: messages missing, in the wrong order, forged or of the wrong method, on either end. A person learns the cause,
// and nothing secret has left.
import { describe, expect, test } from 'vitest';
import { schemeName } from '../../../main/crypto/signature.ts';
import { NOTHING_ANNOUNCED } from '../../../main/ike/auth/announced.ts';
import type { Conversation, Demand, Reply } from '../../../main/ike/auth/conversation.ts';
import { type AuthConfig, authenticateInitiator, type InitiatorEnd } from '../../../main/ike/auth/initiator.ts';
import { pskAuth } from '../../../main/ike/auth/psk.ts';
import { authenticateResponder, PSK_ONLY, type ResponderEnd } from '../../../main/ike/auth/responder.ts';
import { signedBy } from '../../../main/ike/auth/signed-octets.ts';
import { parseIdentity } from '../../../main/ike/identity.ts';
import { NotifyType } from '../../../main/ike/notify.ts';
import { AuthMethod } from '../../../main/ike/payload/auth.ts';
import { CERT_X509 } from '../../../main/ike/payload/cert.ts';
import { identityBytes } from '../../../main/ike/payload/id.ts';
import type { Payload } from '../../../main/ike/payload/payload.ts';
import type { IkeQuestion } from '../../../main/ike/questions.ts';
import { redirectNotify } from '../../../main/ike/redirect.ts';
import type { ResponderAuthentication } from '../../../main/ike/responder-config.ts';
import { bytes, initiatorConfig, responderConfig, selector } from '../../sim/parties.ts';
import { saOf } from '../agreed.ts';
import { answerer, authority, certificate, type FakeAnswers, type FakeEap, signing } from './answers.ts';
import { messageOf, type PairOptions, PSK, runPair, settle } from './pair.ts';

const GATEWAY = parseIdentity('gateway.example.com');
const ALICE = parseIdentity('alice@example.com');
const ours = saOf('initiator');

const idr = (identity = GATEWAY): Payload => ({ kind: 'idr', identity });
const auth = (data: Uint8Array, method: number = AuthMethod.SHARED_KEY): Payload => ({ kind: 'auth', method, data });
const notify = (type: number): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: new Uint8Array(0),
  data: new Uint8Array(0),
});
const eap = (...data: number[]): Payload => ({ kind: 'eap', data: Uint8Array.from(data) });
const REQUEST = eap(1, 0, 0, 5, 200);
const SUCCESS = eap(3, 0, 0, 4);
const cert = (data: Uint8Array): Payload => ({ kind: 'cert', encoding: CERT_X509, data });
const AUTH = (as = GATEWAY, secret = PSK): Uint8Array =>
  pskAuth(ours.suite.prf, secret, signedBy('responder', ours, ours.keys, identityBytes(as)));
const CHILD: readonly Payload[] = [
  { kind: 'sa', proposals: [] },
  { kind: 'tsi', selectors: [selector('10.0.0.1/32')] },
  { kind: 'tsr', selectors: [selector('10.0.0.2/32')] },
];

/** The initiator against a gateway played by hand: its answers, one after the other. */
function played(
  config: Partial<AuthConfig>,
  responses: readonly (readonly Payload[])[],
  fake: FakeAnswers = {},
): { readonly end: InitiatorEnd | 'waits'; readonly asked: readonly IkeQuestion[]; readonly requests: number } {
  const asked: IkeQuestion[] = [];
  const answers = answerer('client', { ...fake, asked });
  const terms = { config: { ...initiatorConfig(), ...config }, sa: saOf('initiator'), offer: CHILD };
  const conversation = authenticateInitiator({ ...terms, announced: { ...NOTHING_ANNOUNCED, multipleAuth: true } });
  let step = settle(conversation, conversation.next(), answers);
  let requests = 0;
  for (const payloads of responses) {
    if (step.done) break;
    requests++;
    step = settle(conversation, conversation.next({ kind: 'message', message: messageOf(payloads, true) }), answers);
  }
  return { end: step.done ? step.value : 'waits', asked, requests };
}
const told = ({ end }: ReturnType<typeof played>): string =>
  end === 'waits'
    ? end
    : end.kind === 'authenticated'
      ? end.kind
      : end.kind === 'redirected'
        ? `redirected to ${end.to.kind === 'name' ? end.to.name : end.to.address.join('.')}`
        : `${end.kind} ${end.error.code}: ${end.error.message}`;

const CERTIFICATE = { remoteAuthentication: { kind: 'signature', authorities: [authority('root')] } } as const;
const EAP = { credential: { kind: 'eap' }, remoteAuthentication: { kind: 'psk', secret: PSK } } as const;
const BY_EAP = {
  credential: { kind: 'eap', gatewayByEap: true },
  remoteAuthentication: EAP.remoteAuthentication,
} as const;
const FAKE: FakeEap = { msk: 'key', packets: 1 };

describe('a gateway that should use its pre-shared key', () => {
  test.each<readonly [string, readonly Payload[], RegExp]>([
    ['has another key', [idr(), auth(AUTH(GATEWAY, bytes('wrong')))], /^distrusted peer-not-authentic/],
    ['sends an empty AUTH', [idr(), auth(new Uint8Array(0))], /^distrusted peer-not-authentic/],
    ['reflects our own AUTH', [idr(), auth(new Uint8Array(32).fill(1))], /^distrusted peer-not-authentic/],
    ['signs', [idr(), auth(AUTH(), AuthMethod.RSA)], /^distrusted peer-not-authentic: .*certificate/],
    ['has another name', [idr(ALICE), auth(AUTH(ALICE))], /^distrusted peer-identity-mismatch/],
    ['only says that it has the name', [idr(), auth(AUTH(ALICE))], /^distrusted peer-not-authentic/],
    ['does not say who it is', [auth(AUTH())], /^distrusted protocol/],
    ['wants EAP instead', [idr(), REQUEST], /^distrusted authentication-mismatch: .*EAP/],
    ['wants EAP too', [idr(), auth(AUTH()), REQUEST], /^distrusted authentication-mismatch: .*EAP/],
    ['refuses us', [notify(NotifyType.AUTHENTICATION_FAILED)], /^refused refused-by-peer: .*alice@example.com/],
    ['does not understand us', [notify(NotifyType.INVALID_SYNTAX)], /^refused protocol/],
  ])('%s', (_, response, says) => {
    // Legal by the table, or the phase would never have handed it on.
    expect(told(played({}, [response]))).toMatch(says);
  });

  test('refuses by an error beside a good AUTH: that is about the CHILD SA', () => {
    expect(told(played({}, [[idr(), auth(AUTH()), notify(NotifyType.TS_UNACCEPTABLE)]]))).toBe('authenticated');
  });

  test('reserved bytes in IDr are covered by AUTH as they came', () => {
    const raw = identityBytes(GATEWAY);
    raw[2] = 0x5a;
    const data = pskAuth(ours.suite.prf, PSK, signedBy('responder', ours, ours.keys, raw));
    expect(told(played({}, [[{ kind: 'idr', identity: GATEWAY, raw }, auth(data)]]))).toBe('authenticated');
    expect(told(played({}, [[idr(), auth(data)]]))).toMatch(/^distrusted/);
  });
});

describe('a gateway that sends us elsewhere in its first response (RFC 5685 §6)', () => {
  const elsewhere = redirectNotify({ kind: 'name', name: 'other.example.com' });
  const twice = { second: { identity: ALICE, credential: { kind: 'psk', secret: PSK } } } as const;

  test.each<readonly [string, Partial<AuthConfig>, readonly Payload[], RegExp]>([
    ['EAP', EAP, [idr(), auth(AUTH()), elsewhere], /^redirected to other/],
    ['EAP, though it goes on', EAP, [idr(), auth(AUTH()), REQUEST, elsewhere], /^redirected to other/],
    ['EAP, unproven', EAP, [idr(), auth(AUTH(GATEWAY, bytes('wrong'))), elsewhere], /^distrusted peer-not-auth/],
    ['EAP alone, unproven', BY_EAP, [idr(), REQUEST, elsewhere], /^waits/],
    ['two rounds', twice, [idr(), auth(AUTH()), elsewhere], /^redirected to other/],
    ['two rounds, unproven', twice, [idr(), auth(AUTH(ALICE)), elsewhere], /^distrusted/],
  ])('%s', (_, config, response, says) => {
    expect(told(played({ ...config, takesRedirects: true }, [response], { eap: FAKE }))).toMatch(says);
  });

  test('changes nothing where we have not said that we go', () => {
    expect(told(played(EAP, [[idr(), auth(AUTH()), REQUEST, elsewhere]], { eap: FAKE }))).toBe('waits');
    expect(told(played(twice, [[idr(), auth(AUTH()), elsewhere]]))).toBe('waits');
  });

  test('nor in the middle', () => {
    const [begun, on] = [
      [idr(), auth(AUTH()), REQUEST],
      [REQUEST, elsewhere],
    ];
    const eap = { ...FAKE, packets: 3 };
    expect(told(played({ ...EAP, takesRedirects: true }, [begun, on], { eap }))).toBe('waits');
  });
});

describe('a gateway that should have a certificate', () => {
  const key = certificate('p256', 'gateway').chain[0]!;
  test.each<readonly [string, readonly Payload[], RegExp]>([
    ['has a pre-shared key', [idr(), auth(AUTH())], /pre-shared key, the profile expects a certificate/],
    ['uses a method of its own', [idr(), auth(AUTH(), 201)], /a method that we do not know \(201\)/],
    [
      'signs by an algorithm that nobody knows',
      [idr(), auth(Uint8Array.of(2, 5, 5, 1), 14)],
      /algorithm that we do not take/,
    ],
    ['sends an empty signature', [idr(), auth(new Uint8Array(0), 14)], /algorithm that we do not take/],
    ['sends no certificate', [idr(), auth(new Uint8Array(64), 9)], /somebody else/],
    [
      'sends one in another encoding',
      [idr(), { kind: 'cert', encoding: 12, data: key }, auth(new Uint8Array(64), 9)],
      /somebody else/,
    ],
    ['signs badly', [idr(), cert(key), auth(new Uint8Array(64), 9)], /bad signature/],
  ])('%s', (_, response, says) => {
    const trusted = [{ key: certificate('p256', 'gateway'), names: ['gateway.example.com'] }];
    expect(told(played(CERTIFICATE, [response], { trusted }))).toMatch(says);
  });

  test('signs well, but for somebody else', () => {
    const pair = (names: readonly string[]): PairOptions => ({
      initiator: CERTIFICATE,
      responder: { credential: signing('p256', 'gateway') },
      client: { trusted: [{ key: certificate('p256', 'gateway'), names }] },
    });
    expect(runPair(pair(['gateway.example.com'])).initiator.kind).toBe('authenticated');
    expect(runPair(pair(['other.example.com'])).initiator).toMatchObject({
      kind: 'distrusted',
      error: { code: 'peer-identity-mismatch' },
    });
  });

  test('a gateway that knows no signature that we can make: said before anything leaves', () => {
    const { end, requests } = played({ credential: signing('ed25519', 'alice'), ...CERTIFICATE }, []);
    expect(requests).toBe(0);
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'authentication-mismatch' } });
    expect(played({ credential: signing('rsa', 'alice'), ...CERTIFICATE }, []).end).toMatchObject({
      error: { message: expect.stringContaining('SHA-1') },
    });
  });
});

describe('EAP', () => {
  const first = [idr(), auth(AUTH()), REQUEST];
  test('no question reaches the person before the gateway has proved itself', () => {
    for (const response of [[idr(), REQUEST], [idr(), auth(AUTH(GATEWAY, bytes('wrong'))), REQUEST], [REQUEST]]) {
      const { asked, end } = played(EAP, [response], { eap: FAKE });
      expect(asked).toEqual([]);
      expect(end).toMatchObject({ kind: 'distrusted' });
    }
    expect(told(played(EAP, [[idr(), REQUEST]], { eap: FAKE }))).toMatch(/nothing was sent/);
  });

  test('a gateway that takes us without EAP, or breaks it off', () => {
    expect(told(played(EAP, [[idr(), auth(AUTH())]], { eap: FAKE }))).toMatch(/without the EAP/);
    expect(told(played(EAP, [first, [auth(AUTH())]], { eap: FAKE }))).toMatch(/broke EAP off/);
    expect(told(played(EAP, [first, [notify(NotifyType.AUTHENTICATION_FAILED)]], { eap: FAKE }))).toMatch(
      /^refused refused-by-peer/,
    );
  });

  test('a gateway that does not know the key that EAP made: somebody stands between', () => {
    const stolen = [
      auth(
        pskAuth(ours.suite.prf, bytes('not the MSK'), signedBy('responder', ours, ours.keys, identityBytes(GATEWAY))),
      ),
    ];
    expect(told(played(EAP, [first, [SUCCESS], stolen], { eap: FAKE }))).toMatch(
      /does not know the key that EAP has made/,
    );
    expect(told(played(EAP, [first, [SUCCESS], [notify(NotifyType.AUTHENTICATION_FAILED)]], { eap: FAKE }))).toMatch(
      /^refused/,
    );
  });

  test('alone: a method without a key proves nothing of the gateway (RFC 5998 §3)', () => {
    const alone = { ...EAP, credential: { kind: 'eap', gatewayByEap: true } } as const;
    expect(told(played(alone, [[idr(), REQUEST], [SUCCESS]], { eap: { packets: 1 } }))).toMatch(/proves nothing of it/);
    expect(told(played(alone, [[REQUEST]], { eap: FAKE }))).toMatch(/what it is called/);
    // The answerer knows that nobody has proved anything.
    const { asked } = played(alone, [[idr(), REQUEST]], { eap: FAKE });
    expect(asked).toMatchObject([{ kind: 'eap', gatewayProven: false }]);
    const name = { ...alone, remoteIdentity: parseIdentity('other.example.com') };
    const pair = runPair({
      initiator: name,
      responder: { rounds: [['eap']], eapOnly: true },
      client: { eap: FAKE },
      gateway: { eap: FAKE },
    });
    expect(pair.initiator).toMatchObject({ kind: 'distrusted', error: { code: 'peer-identity-mismatch' } });
  });

  test('the person says no: nothing more is sent', () => {
    const { end, requests } = played(EAP, [first, [REQUEST]], { eap: { refuses: 'client' } });
    expect(requests).toBe(1);
    expect(end).toMatchObject({ kind: 'failed', error: { message: 'the person closed the question' }, lastWord: [] });
  });
});

describe('two authentications', () => {
  const second = { second: { identity: ALICE, credential: { kind: 'psk' as const, secret: PSK } } };
  test('only with a gateway that takes two', () => {
    const config = { ...initiatorConfig(), ...second };
    const conversation = authenticateInitiator({ config, sa: ours, announced: NOTHING_ANNOUNCED, offer: [] });
    expect(conversation.next()).toMatchObject({
      done: true,
      value: {
        kind: 'failed',
        error: { code: 'authentication-mismatch', message: expect.stringContaining('only one') },
      },
    });
  });

  test('refused in the second: refused; an error about the CHILD SA is not', () => {
    const good = [idr(), auth(AUTH())];
    expect(told(played(second, [good, [notify(NotifyType.AUTHENTICATION_FAILED)]]))).toMatch(/^refused/);
    expect(told(played(second, [good, [notify(NotifyType.TS_UNACCEPTABLE)]]))).toBe('authenticated');
    expect(told(played(second, [good, [idr(), auth(AUTH(GATEWAY, bytes('wrong')))]]))).toMatch(/^distrusted/);
  });
});

describe('the responder', () => {
  /** The responder against a peer played by hand. */
  function answered(
    rules: Partial<ResponderAuthentication>,
    requests: readonly (readonly Payload[])[],
    fake: FakeAnswers = {},
  ): ResponderEnd | 'waits' {
    const answers = answerer('gateway', fake);
    const [first, ...rest] = requests.map((payloads) => messageOf(payloads, false));
    if (!first) throw new Error('a responder waits for a request');
    const config = { ...responderConfig(), authentication: { ...PSK_ONLY, ...rules } };
    const conversation: Conversation<ResponderEnd> = authenticateResponder(
      { config, sa: saOf('responder'), announced: NOTHING_ANNOUNCED },
      first,
    );
    let step: IteratorResult<Demand, ResponderEnd> = settle(conversation, conversation.next(), answers);
    for (const message of rest) {
      if (step.done) break;
      const reply: Reply = { kind: 'message', message };
      step = settle(conversation, conversation.next(reply), answers);
    }
    return step.done ? step.value : 'waits';
  }
  const WITH_EAP = { credential: signing('p256', 'gateway'), rounds: [['eap']] } as const;
  const why = (end: ResponderEnd | 'waits'): string =>
    end === 'waits' ? end : end.kind === 'refused' ? end.why : end.kind;
  const theirs = saOf('responder');
  const idi = (identity = ALICE): Payload => ({ kind: 'idi', identity });
  const proof = (as = ALICE, secret = PSK): Payload =>
    auth(pskAuth(theirs.suite.prf, secret, signedBy('initiator', theirs, theirs.keys, identityBytes(as))));
  const MALLORY = parseIdentity('mallory');
  const ANOTHER = notify(NotifyType.ANOTHER_AUTH_FOLLOWS);

  test.each<readonly [string, Partial<ResponderAuthentication>, readonly (readonly Payload[])[], RegExp]>([
    ['a wrong secret', {}, [[idi(), proof(ALICE, bytes('wrong'))]], /secret is wrong/],
    ['an unknown name', {}, [[idi(MALLORY), proof(MALLORY)]], /nobody here is called mallory/],
    // An unknown name is checked with bytes that the peer knows, so that it takes as long.
    [
      'an unknown name, proved by them',
      { credential: signing('p256', 'gateway') },
      [[idi(MALLORY), proof(MALLORY, theirs.Nr)]],
      /nobody here is called mallory/,
    ],
    ['a signature where a key is wanted', {}, [[idi(), auth(new Uint8Array(64), 9)]], /method 9, not by psk/],
    [
      'a key where a signature is wanted',
      { rounds: [['signature']] },
      [[idi(), proof()]],
      /method 2, not by signature/,
    ],
    ['EAP where a key is wanted', {}, [[idi()]], /it wants EAP/],
    ['nothing but EAP', { rounds: [['eap']] }, [[REQUEST]], /who it is/],
    ['two authentications where one is wanted', {}, [[idi(), proof(), ANOTHER]], /once more, which nothing/],
    [
      'one authentication where two are wanted',
      { rounds: [['psk'], ['psk']] },
      [[idi(), proof()]],
      /has to authenticate once more/,
    ],
    ['the second without a name', { rounds: [['psk'], ['psk']] }, [[idi(), proof(), ANOTHER], [proof()]], /who it is/],
    [
      'an unknown algorithm',
      { rounds: [['signature']] },
      [[idi(), auth(Uint8Array.of(1, 5, 1), 14)]],
      /digital signature/,
    ],
    ['EAP by who is asked for EAP, where only a key proves us', { rounds: [['eap']] }, [[idi()]], /no certificate/],
    ['EAP broken off', WITH_EAP, [[idi()], [proof()]], /broke EAP off/],
    ['EAP without AUTH at its end', WITH_EAP, [[idi()], [REQUEST], [REQUEST]], /no AUTH at the end/],
  ])('refuses %s', (_, rules, requests, says) => {
    const end = answered(rules, requests, { eap: FAKE });
    expect(why(end)).toMatch(says);
    expect(end).toMatchObject({ kind: 'refused', payloads: [{ type: NotifyType.AUTHENTICATION_FAILED }] });
  });

  test('refuses EAP alone by a method that makes no key (RFC 5998 §3)', () => {
    const alone = [idi(), notify(NotifyType.EAP_ONLY_AUTHENTICATION)];
    const rules = { rounds: [['eap']], eapOnly: true } as const;
    expect(why(answered(rules, [alone, [REQUEST], [proof()]], { eap: { packets: 1 } }))).toMatch(/makes no key/);
  });

  test('tells the EAP failure and the refusal together', () => {
    const end = answered(WITH_EAP, [[idi()], [REQUEST]], { eap: { packets: 1, refuses: 'gateway' } });
    expect(end).toMatchObject({
      kind: 'refused',
      payloads: [{ kind: 'eap' }, { type: NotifyType.AUTHENTICATION_FAILED }],
    });
  });

  test('of a peer that did not announce RFC 7427 a classic scheme is asked for', () => {
    const asked: IkeQuestion[] = [];
    answered({ credential: signing('p256', 'gateway') }, [[idi(), proof()]], { asked });
    expect(asked.map((q) => (q.kind === 'sign' ? schemeName(q.scheme) : q.kind))).toEqual(['ecdsa-p256']);
    expect(why(answered({ credential: signing('ed25519', 'gateway') }, [[idi(), proof()]]))).toMatch(/no signature/);
  });
});
