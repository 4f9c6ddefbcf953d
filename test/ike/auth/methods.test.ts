// Every way of authentication between an initiator and a responder of ours: which messages it takes, and that both ends agree.
import { describe, expect, test } from 'vitest';
import { schemeName } from '../../../main/crypto/signature.ts';
import { fixedPpkId } from '../../../main/ike/auth/ppk.ts';
import { parseIdentity } from '../../../main/ike/identity.ts';
import type { IkeQuestion } from '../../../main/ike/questions.ts';
import { bytes } from '../../sim/parties.ts';
import { authority, certificate, type FakeEap, type KeyName, signing } from './answers.ts';
import { N, type PairOptions, type PairResult, PSK, runPair, without } from './pair.ts';

const GATEWAY = 'gateway.example.com';
const ALICE = 'alice@example.com';

const both = (result: PairResult) => {
  const { initiator, responder } = result;
  if (initiator.kind !== 'authenticated') throw new Error(JSON.stringify(initiator));
  if (responder?.kind !== 'authenticated') throw new Error(`refused: ${responder?.why}`);
  expect(initiator.remoteIdentity).toEqual(parseIdentity(GATEWAY));
  const { initiator: ours, responder: theirs } = result.sas;
  expect([ours.keys.SK_d, ours.keys.SK_pi, ours.keys.SK_pr]).toEqual([
    theirs.keys.SK_d,
    theirs.keys.SK_pi,
    theirs.keys.SK_pr,
  ]);
  return { messages: result.messages, peer: responder.peer, ppk: responder.ppk };
};

const CERT = { kind: 'signature' as const, authorities: [authority('root')] };
const trusts = (kind: KeyName, who: string, ...names: string[]) => [{ key: certificate(kind, who), names }];

/** The gateway has a certificate, the client does `options`. */
const withGatewayCertificate = (options: PairOptions = {}): PairOptions => ({
  ...options,
  initiator: { remoteAuthentication: CERT, ...options.initiator },
  responder: { credential: signing('p256', 'gateway'), ...options.responder },
  client: { trusted: trusts('p256', 'gateway', GATEWAY), ...options.client },
});

const eap = (fake: FakeEap, options: PairOptions = {}): PairOptions =>
  withGatewayCertificate({
    ...options,
    initiator: { credential: { kind: 'eap' }, ...options.initiator },
    responder: { rounds: [['eap']], ...options.responder },
    client: { trusted: trusts('p256', 'gateway', GATEWAY), eap: fake, ...options.client },
    gateway: { eap: fake, ...options.gateway },
  });

test('pre-shared keys both ways: one exchange', () => {
  expect(both(runPair())).toEqual({
    messages: ['IDI N(INITIAL_CONTACT) IDR AUTH CHILD', 'IDR AUTH CHILD'],
    peer: parseIdentity(ALICE),
    ppk: false,
  });
});

test('INITIAL_CONTACT only where the configuration does not forbid it', () => {
  const result = runPair({ initiator: { initialContact: false } });
  expect(both(result).messages[0]).toBe('IDI IDR AUTH CHILD');
  expect(result.responder).toMatchObject({ initialContact: false });
  expect(runPair().responder).toMatchObject({ initialContact: true });
});

describe('signatures', () => {
  const signatures = (client: KeyName, gateway: KeyName, options: PairOptions = {}) => {
    const asked: IkeQuestion[] = [];
    const result = runPair({
      ...options,
      initiator: { credential: signing(client, 'alice'), remoteAuthentication: CERT, ...options.initiator },
      responder: {
        credential: signing(gateway, 'gateway'),
        rounds: [['signature']],
        authorities: [authority('root')],
        ...options.responder,
      },
      client: { trusted: trusts(gateway, 'gateway', GATEWAY), asked },
      gateway: { trusted: trusts(client, 'alice', ALICE), asked },
    });
    const schemes = asked.flatMap((q) => (q.kind === 'sign' ? [schemeName(q.scheme)] : []));
    return { result, schemes, asked };
  };

  test.each([
    ['rsa', 'rsa-pss-sha256'],
    ['p256', 'ecdsa-sha256'],
    ['p384', 'ecdsa-sha384'],
    ['p521', 'ecdsa-sha512'],
    ['ed25519', 'ed25519'],
  ] as const)('%s by RFC 7427: %s', (kind, scheme) => {
    const { result, schemes } = signatures(kind, kind);
    expect(both(result).messages).toEqual([
      'IDI CERT CERT N(INITIAL_CONTACT) CERTREQ IDR AUTH CHILD',
      'IDR CERT CERT AUTH CHILD',
    ]);
    expect(schemes).toEqual([scheme, scheme]);
  });

  test.each([
    ['p256', 'ecdsa-p256'],
    ['p384', 'ecdsa-p384'],
    ['p521', 'ecdsa-p521'],
  ] as const)('%s by the classic method of its curve, with who does not know RFC 7427', (kind, scheme) => {
    for (const deaf of ['client', 'gateway'] as const) {
      const { result, schemes } = signatures(kind, kind, { deaf });
      both(result);
      expect(schemes).toContain(scheme);
    }
  });

  test('RSA by method 1 only where SHA-1 is allowed', () => {
    const policy = { sha1: true, rsaPadding: 'pss' as const };
    const { result, schemes } = signatures('rsa', 'p256', {
      deaf: 'client',
      initiator: { credential: signing('rsa', 'alice', policy) },
    });
    both(result);
    expect(schemes[0]).toBe('rsa-sha1');
  });

  test('different keys on the two ends, and PKCS #1 by policy', () => {
    const policy = { sha1: false, rsaPadding: 'pkcs1' as const };
    const { result, schemes } = signatures('rsa', 'ed25519', {
      initiator: { credential: signing('rsa', 'alice', policy) },
    });
    both(result);
    expect(schemes).toEqual(['rsa-pkcs1-sha256', 'ed25519']);
  });

  test('CERTREQ decides between several certificates, on both ends', () => {
    const two = [certificate('p256', 'old', 'old root'), certificate('p384', 'new', 'root')] as const;
    for (const [asks, who] of [
      ['root', 'new'],
      ['old root', 'old'],
      ['some other root', 'old'],
    ] as const) {
      const asked: IkeQuestion[] = [];
      const trusted = [...two.map((key) => ({ key, names: [ALICE, GATEWAY] }))];
      const result = runPair({
        initiator: {
          credential: { kind: 'signature', certificates: two },
          remoteAuthentication: { kind: 'signature', authorities: [authority(asks)] },
        },
        responder: {
          credential: { kind: 'signature', certificates: two },
          rounds: [['signature']],
          authorities: [authority(asks)],
        },
        client: { trusted, asked },
        gateway: { trusted, asked },
      });
      both(result);
      const expected = certificate(who === 'new' ? 'p384' : 'p256', who).chain[0];
      for (const question of asked) if (question.kind === 'sign') expect(question.certificate).toEqual(expected);
      expect(asked.filter(({ kind }) => kind === 'sign')).toHaveLength(2);
    }
  });

  test('a gateway that calls itself otherwise is asked for the name that we wanted, too', () => {
    const asked: IkeQuestion[] = [];
    const { initiator } = runPair({
      initiator: {
        credential: signing('p256', 'alice'),
        remoteIdentity: undefined,
        remoteAuthentication: { ...CERT, name: parseIdentity('vpn.example.com') },
      },
      responder: { credential: signing('p256', 'gateway'), rounds: [['signature']] },
      client: { trusted: trusts('p256', 'gateway', GATEWAY, 'vpn.example.com'), asked },
      gateway: { trusted: trusts('p256', 'alice', ALICE) },
    });
    expect(initiator.kind).toBe('authenticated');
    expect(asked.find(({ kind }) => kind === 'verify')).toMatchObject({
      identity: parseIdentity(GATEWAY),
      expected: parseIdentity('vpn.example.com'),
    });
  });

  test('we by signature, the gateway by key; and the other way round', () => {
    const gatewayByKey = runPair({
      initiator: { credential: signing('p256', 'alice'), remoteAuthentication: { kind: 'psk', secret: PSK } },
      responder: { credential: { kind: 'psk' }, rounds: [['signature']] },
      gateway: { trusted: trusts('p256', 'alice', ALICE) },
    });
    expect(both(gatewayByKey).messages).toEqual(['IDI CERT CERT N(INITIAL_CONTACT) IDR AUTH CHILD', 'IDR AUTH CHILD']);
    both(runPair(withGatewayCertificate()));
  });

  test('what went through IKE_INTERMEDIATE is signed too (RFC 9242 §3.3.2)', () => {
    const intAuth = { client: bytes('the same'), gateway: bytes('the same') };
    both(signatures('p256', 'p256', { intAuth }).result);
    both(runPair({ intAuth }));
    const differs = { client: bytes('one'), gateway: bytes('another') };
    expect(runPair({ intAuth: differs }).responder).toMatchObject({ kind: 'refused' });
    expect(signatures('p256', 'p256', { intAuth: differs }).result.responder).toMatchObject({ kind: 'refused' });
  });
});

describe('EAP', () => {
  test('the gateway first, then EAP, then AUTH of both by the key that it made', () => {
    expect(both(runPair(eap({ packets: 2, msk: 'key', needsProof: true }))).messages).toEqual([
      'IDI N(INITIAL_CONTACT) CERTREQ IDR CHILD',
      'IDR CERT CERT AUTH EAP',
      'EAP',
      'EAP',
      'EAP',
      'EAP',
      'AUTH',
      'AUTH CHILD',
    ]);
  });

  test('a method that makes no key: AUTH by SK_pi and SK_pr', () => {
    both(runPair(eap({ packets: 1 })));
  });

  test('the gateway by pre-shared key: it says nothing that secrets could be tried out on (RFC 7296 §2.16)', () => {
    const remoteAuthentication = { kind: 'psk', secret: PSK } as const;
    for (const eapOnly of [false, true]) {
      const rules = { credential: { kind: 'psk' }, eapOnly } as const;
      const run = runPair(eap({ msk: 'key' }, { initiator: { remoteAuthentication }, responder: rules }));
      expect(run.responder).toMatchObject({ kind: 'refused', why: expect.stringContaining('no certificate') });
      expect(run.messages.at(-1)).toBe('N(AUTHENTICATION_FAILED)');
    }
  });

  test('the peer is who EAP says that it is', () => {
    expect(both(runPair(eap({ msk: 'key', identity: 'bob@example.com' }))).peer).toEqual(
      parseIdentity('bob@example.com'),
    );
  });

  test('EAP alone (RFC 5998): no AUTH and no CERT of the gateway before it', () => {
    const only = {
      initiator: { credential: { kind: 'eap', gatewayByEap: true } as const },
      responder: { eapOnly: true },
    };
    expect(both(runPair(eap({ packets: 1, msk: 'key' }, only))).messages).toEqual([
      'IDI N(INITIAL_CONTACT) CERTREQ IDR N(EAP_ONLY_AUTHENTICATION) CHILD',
      'IDR EAP',
      'EAP',
      'EAP',
      'AUTH',
      'AUTH CHILD',
    ]);
    // A gateway that would rather show its certificate may.
    const shows = { ...only, responder: { eapOnly: false } };
    expect(both(runPair(eap({ packets: 1, msk: 'key', needsProof: true }, shows))).messages[1]).toBe(
      'IDR CERT CERT AUTH EAP',
    );
  });

  test('hundreds of packets are too many', () => {
    const { initiator, responder } = runPair(eap({ packets: 1000, msk: 'key' }));
    expect([initiator.kind, responder?.kind]).toEqual(['refused', 'refused']);
  });
});

describe('two authentications (RFC 4739)', () => {
  const second = (
    credential: ReturnType<typeof signing> | { readonly kind: 'eap' } | { kind: 'psk'; secret: Uint8Array },
  ) => ({
    second: { identity: parseIdentity('bob@example.com'), credential },
  });

  test('signature, then EAP (Example 2)', () => {
    const options = withGatewayCertificate({
      initiator: { credential: signing('p384', 'alice'), ...second({ kind: 'eap' }) },
      responder: { rounds: [['signature'], ['eap']], authorities: [authority('root')] },
      client: { trusted: trusts('p256', 'gateway', GATEWAY), eap: { packets: 1, msk: 'key', needsProof: true } },
      gateway: { trusted: trusts('p384', 'alice', ALICE), eap: { packets: 1, msk: 'key' } },
    });
    expect(both(runPair(options))).toMatchObject({
      messages: [
        'IDI CERT CERT N(INITIAL_CONTACT) CERTREQ IDR AUTH N(MULTIPLE_AUTH_SUPPORTED) N(ANOTHER_AUTH_FOLLOWS) CHILD',
        'IDR CERT CERT AUTH',
        'IDI',
        'EAP',
        'EAP',
        'EAP',
        'AUTH',
        'AUTH CHILD',
      ],
      peer: parseIdentity('bob@example.com'),
    });
  });

  test.each(['psk', 'eap'] as const)('EAP alone (RFC 5998), then %s', (then) => {
    const other = then === 'psk' ? ({ kind: 'psk', secret: PSK } as const) : ({ kind: 'eap' } as const);
    const options: PairOptions = {
      initiator: {
        credential: { kind: 'eap', gatewayByEap: true },
        second: { identity: parseIdentity(ALICE), credential: other },
      },
      responder: { credential: signing('p256', 'gateway'), rounds: [['eap'], [then]], eapOnly: true },
      client: { eap: { packets: 1, msk: 'key' } },
      gateway: { eap: { packets: 1, msk: 'key' } },
    };
    expect(both(runPair(options)).messages).not.toContainEqual(expect.stringContaining('CERT CERT'));
    // Without a key the first round has proved nothing of the gateway.
    const unproven = { eap: { packets: 1 } };
    expect(runPair({ ...options, client: unproven, gateway: unproven }).initiator.kind).not.toBe('authenticated');
  });

  test('two EAPs (Example 1), each a conversation of its own', () => {
    const asked: IkeQuestion[] = [];
    const options = eap(
      { packets: 1, msk: 'key' },
      { initiator: second({ kind: 'eap' }), responder: { rounds: [['eap'], ['eap']] } },
    );
    const result = runPair({ ...options, client: { ...options.client, asked } });
    expect(both(result).messages).toEqual([
      'IDI N(INITIAL_CONTACT) CERTREQ IDR N(MULTIPLE_AUTH_SUPPORTED) CHILD',
      'IDR CERT CERT AUTH EAP',
      'EAP',
      'EAP',
      'AUTH N(ANOTHER_AUTH_FOLLOWS)',
      'AUTH',
      'IDI',
      'EAP',
      'EAP',
      'EAP',
      'AUTH',
      'AUTH CHILD',
    ]);
    expect(asked.flatMap((q) => (q.kind === 'eap' ? [q.round] : []))).toEqual([0, 0, 1, 1]);
  });

  test('two certificates (Example 3): the last response has no AUTH', () => {
    const options = withGatewayCertificate({
      initiator: { credential: signing('p384', 'alice'), ...second(signing('ed25519', 'bob')) },
      responder: { rounds: [['signature'], ['signature']] },
      gateway: {
        trusted: [...trusts('p384', 'alice', ALICE), ...trusts('ed25519', 'bob', 'bob@example.com')],
      },
    });
    expect(both(runPair(options)).messages.slice(2)).toEqual(['IDI CERT CERT AUTH', 'CHILD']);
  });

  test('a key, then EAP without a key of its own, with a PPK in between', () => {
    const secret = bytes('a key for after the quantum');
    const options = {
      initiator: { ...second({ kind: 'eap' as const }), ppk: { id: fixedPpkId('q'), secret, required: true } },
      responder: { rounds: [['psk'] as const, ['eap'] as const], ppk: { of: () => secret, required: true } },
      client: { eap: { packets: 1 } },
      gateway: { eap: { packets: 1 } },
    };
    expect(both(runPair(options))).toMatchObject({ ppk: true });
  });
});

describe('post-quantum pre-shared keys (RFC 8784)', () => {
  const id = fixedPpkId('office');
  const secret = bytes('32 bytes that nobody can guess ..');
  const of = (asked: Uint8Array): Uint8Array | undefined => (Buffer.from(asked).equals(id) ? secret : undefined);
  const ppk = (required: boolean, known = true) => ({ id: known ? id : fixedPpkId('other'), secret, required });

  test('used: mixed into the keys of both, NO_PPK_AUTH beside it unless it is required', () => {
    const plain = runPair().sas.initiator.keys.SK_d;
    const optional = runPair({ initiator: { ppk: ppk(false) }, responder: { ppk: { of, required: false } } });
    expect(both(optional)).toMatchObject({
      ppk: true,
      messages: [
        'IDI N(INITIAL_CONTACT) IDR AUTH N(PPK_IDENTITY) N(NO_PPK_AUTH) CHILD',
        'IDR AUTH N(PPK_IDENTITY) CHILD',
      ],
    });
    expect(optional.sas.initiator.keys.SK_d).not.toEqual(plain);
    const required = runPair({ initiator: { ppk: ppk(true) }, responder: { ppk: { of, required: true } } });
    expect(both(required).messages[0]).toBe('IDI N(INITIAL_CONTACT) IDR AUTH N(PPK_IDENTITY) CHILD');
  });

  test('by signature: signed twice where it is optional', () => {
    const asked: IkeQuestion[] = [];
    for (const known of [true, false]) {
      const result = runPair(
        withGatewayCertificate({
          initiator: { credential: signing('p256', 'alice'), ppk: ppk(false, known) },
          responder: { rounds: [['signature']], ppk: { of, required: false } },
          client: { trusted: trusts('p256', 'gateway', GATEWAY), asked },
          gateway: { trusted: trusts('p256', 'alice', ALICE) },
        }),
      );
      expect(both(result).ppk).toBe(known);
    }
    expect(asked.filter(({ kind }) => kind === 'sign')).toHaveLength(4);
  });

  test('with EAP: the gateway proves itself without it first, both with it at the end', () => {
    for (const msk of ['key', undefined]) {
      const options = eap(
        { packets: 1, msk },
        { initiator: { ppk: ppk(true) }, responder: { ppk: { of, required: true } } },
      );
      const result = both(runPair(options));
      expect(result.ppk).toBe(true);
      expect(result.messages.slice(-2)).toEqual(['AUTH N(PPK_IDENTITY)', 'AUTH N(PPK_IDENTITY) CHILD']);
      expect(result.messages[1]).toBe('IDR CERT CERT AUTH EAP');
    }
  });

  test('Table 1, where one end has none, another, or insists', () => {
    const outcome = (initiator: PairOptions['initiator'], responder: PairOptions['responder']) => {
      const result = runPair({ initiator, responder });
      return `${result.initiator.kind} / ${result.responder?.kind ?? 'waits'}${result.responder?.kind === 'authenticated' && result.responder.ppk ? ' with' : ''}`;
    };
    expect(outcome({ ppk: ppk(false) }, {})).toBe('authenticated / authenticated');
    expect(outcome({ ppk: ppk(true) }, {})).toBe('failed / waits');
    expect(outcome({}, { ppk: { of, required: false } })).toBe('authenticated / authenticated');
    expect(outcome({}, { ppk: { of, required: true } })).toBe('refused / refused');
    expect(outcome({ ppk: ppk(false, false) }, { ppk: { of, required: false } })).toBe('authenticated / authenticated');
    expect(outcome({ ppk: ppk(false, false) }, { ppk: { of, required: true } })).toBe('refused / refused');
    expect(outcome({ ppk: ppk(true, false) }, { ppk: { of, required: false } })).toBe('refused / refused');
    expect(outcome({ ppk: ppk(true) }, { ppk: { of: () => bytes('another key'), required: true } })).toBe(
      'refused / refused',
    );
  });

  test('a gateway that announced it and does not use it: only where it is optional', () => {
    const silent = (required: boolean) =>
      runPair({
        initiator: { ppk: ppk(required) },
        responder: { ppk: { of, required: false } },
        touch: (payloads, response) => (response ? without(N.PPK_IDENTITY)(payloads) : payloads),
      }).initiator;
    expect(silent(true)).toMatchObject({ kind: 'distrusted', error: { code: 'authentication-mismatch' } });
    // Its AUTH is made with the PPK, though.
    expect(silent(false)).toMatchObject({ kind: 'distrusted', error: { code: 'peer-not-authentic' } });
  });
});
