// A profile's authentication against the embedded gateway's: real certificates, real keys, real EAP; only the network is missing. Each
// profile is parsed from its file, each gateway from its configuration.
import { describe, expect, it } from 'vitest';
import { openGatewayAuthentication } from '../../main/gateway/authentication.ts';
import { type GatewayConfigInput, parseGatewayConfig } from '../../main/gateway/config.ts';
import { sameIdentity } from '../../main/ike/identity.ts';
import { createInitiator } from '../../main/ike/initiator.ts';
import type { CloseReason, IkeEffect, IkeResponderEffect } from '../../main/ike/peer.ts';
import { createResponder } from '../../main/ike/responder.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import type { Profile } from '../../main/profile/profile.ts';
import { openAuthentication } from '../../main/session/authentication.ts';
import { CONFIG } from '../gateway/lab.ts';
import { make, NOW } from '../pki/authority.ts';
import { endpoint, initiatorConfig, responderConfig } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';

const CLIENT = endpoint('192.0.2.2', 4500);
const GATEWAY = endpoint('198.51.100.1', 4500);
const SECRET = 'the password and key of alice';

const root = await make({ subject: 'CN=Root' });
const intermediate = await make({ subject: 'CN=Intermediate', issuer: root, ca: true });
const gateway = await make({
  subject: 'CN=gw',
  issuer: intermediate,
  names: [{ type: 'dns', value: 'vpn.example.com' }],
});
const alice = await make({
  subject: 'CN=alice, O=Example',
  kind: 'rsa',
  issuer: intermediate,
  names: [{ type: 'email', value: 'alice@example.com' }],
});
const stranger = await make({ subject: 'CN=Root of somebody else' });
const pem = (key: { export(options: { format: 'pem'; type: 'pkcs8' }): string | Buffer }): string =>
  key.export({ format: 'pem', type: 'pkcs8' }).toString();

type Json = Readonly<Record<string, unknown>>;
const certificate: Json = {
  method: 'certificate',
  identity: 'alice@example.com',
  certificate: `${alice.pem}\n${intermediate.pem}`,
  key: pem(alice.key),
};
const eap = (methods: readonly string[], more: Json = {}): Json => ({
  method: 'eap',
  identity: 'alice@example.com',
  eap: { methods, password: SECRET, ...more },
});
const psk: Json = { method: 'psk', identity: 'alice@example.com', secret: SECRET };
const trusting: Json = { method: 'certificate', authorities: [root.pem], revocation: 'off' };
const own = { certificate: `${gateway.pem}\n${intermediate.pem}`, key: pem(gateway.key), authorities: [root.pem] };

const profileOf = (authentication: Json, remote: Json | null = trusting, identity: string | null = null): Profile =>
  parseProfile(
    JSON.stringify({
      culvert: 1,
      name: 'office',
      gateway: { host: 'vpn.example.com', identity, ...(remote ? { authentication: remote } : {}) },
      authentication,
      tunnel: { shape: 'esp-tunnel' },
      routes: { include: ['10.0.0.0/8'] },
    }),
  ).profile;

interface Outcome {
  readonly established: boolean;
  readonly closed: CloseReason | undefined;
  readonly log: readonly string[];
}

/** Runs the two against each other until nothing is left to do. */
async function connect(
  profile: Profile,
  authentication: GatewayConfigInput['authentication'],
  identity = 'vpn.example.com',
): Promise<Outcome> {
  const log: string[] = [];
  const deps = {
    random: seededBytes('session'),
    wall: () => NOW,
    log: (_: string, text: string) => void log.push(text),
  };
  const opened = await openAuthentication(profile, deps);
  const nobody = { password: async () => null, code: async () => null };
  const answerer = opened.createAnswerer(profile, {
    ...nobody,
    password: async () => profile.authentication.eap?.password ?? profile.authentication.second?.eap?.password ?? null,
  });
  const settings = parseGatewayConfig({
    ...CONFIG,
    identity,
    users: [{ identity: 'alice@example.com', secret: SECRET }],
    authentication,
  });
  const theirs = settings.authentication
    ? await openGatewayAuthentication(settings.authentication, settings.users, deps)
    : undefined;
  const initiator = createInitiator(
    { ...initiatorConfig(), ...opened.config(CLIENT.address) },
    { random: seededBytes('initiator') },
  );
  const responder = createResponder(
    {
      ...responderConfig(),
      identity: settings.identity,
      authentication: theirs?.rules,
      secretOf: (peer) => settings.users.find((user) => sameIdentity(user.identity, peer))?.secret,
    },
    { random: seededBytes('responder') },
  );
  const outcome: { established: boolean; closed: CloseReason | undefined } = { established: false, closed: undefined };
  const todo: (() => Promise<void> | void)[] = [() => ours(initiator.handle({ kind: 'start' }, 0))];
  function ours(effects: readonly IkeEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'established') outcome.established = true;
      if (effect.kind === 'closed') outcome.closed = effect.reason;
      if (effect.kind === 'send')
        todo.push(() => {
          const { bytes, transport } = effect;
          gateways(responder.handle({ kind: 'datagram', bytes, from: CLIENT, local: GATEWAY, transport }, 0));
        });
      if (effect.kind === 'ask')
        todo.push(async () => {
          const answer = await answerer.answer(effect.question);
          ours(initiator.handle({ kind: 'answer', id: effect.id, answer }, 0));
        });
    }
  }
  function gateways(effects: readonly IkeResponderEffect[]): void {
    for (const { sa, effect } of effects) {
      if (effect.kind === 'send')
        todo.push(() => {
          const { bytes, transport } = effect;
          ours(initiator.handle({ kind: 'datagram', bytes, from: GATEWAY, local: CLIENT, transport }, 0));
        });
      if (effect.kind === 'ask' && sa !== null)
        todo.push(async () => {
          const answer = await theirs!.answer(sa, effect.question);
          gateways(responder.handle({ kind: 'answer', sa, id: effect.id, answer }, 0));
        });
    }
  }
  for (let next = todo.shift(); next; next = todo.shift()) await next();
  answerer.close();
  opened.close();
  return { ...outcome, log };
}

const failure = ({ closed }: Outcome): string => {
  if (closed?.by !== 'error') throw new Error(`not failed: ${JSON.stringify(closed)}`);
  return `${closed.error.code}: ${closed.error.message}`;
};

describe('a profile and the embedded gateway', () => {
  it.each<readonly [string, Profile, GatewayConfigInput['authentication']]>([
    ['pre-shared keys', profileOf(psk, null), undefined],
    ['a key of ours, a certificate of the gateway', profileOf(psk), { ...own, rounds: [['psk']] }],
    ['certificates both ways, with intermediates', profileOf(certificate), { ...own, rounds: [['certificate']] }],
    [
      'our identity out of the certificate',
      profileOf({ ...certificate, identity: null }),
      { ...own, rounds: [['certificate']] },
    ],
    [
      'a distinguished name in another order',
      profileOf({ ...certificate, identity: 'O=Example, CN=alice' }),
      { ...own, rounds: [['certificate']] },
    ],
    ['EAP-MSCHAPv2', profileOf(eap(['mschapv2'])), { ...own, rounds: [['eap']], eap: { methods: ['mschapv2'] } }],
    ['EAP-GTC, without a key', profileOf(eap(['gtc'])), { ...own, rounds: [['eap']], eap: { methods: ['gtc'] } }],
    [
      'a certificate, then EAP (RFC 4739), with a PPK (RFC 8784)',
      profileOf({ ...certificate, second: eap(['mschapv2']), ppk: { id: 'q', secret: 'a key for after the quantum' } }),
      {
        ...own,
        rounds: [['certificate'], ['eap']],
        eap: { methods: ['mschapv2'] },
        ppk: { id: 'q', secret: 'a key for after the quantum' },
      },
    ],
  ])('%s', async (_, profile, authentication) => {
    const outcome = await connect(profile, authentication);
    expect(outcome.closed).toBeUndefined();
    expect(outcome.established).toBe(true);
  });

  it('refuses the gateway whose certificate nobody whom we trust has issued', async () => {
    const other = profileOf(certificate, { ...trusting, authorities: [stranger.pem] });
    expect(failure(await connect(other, { ...own, rounds: [['certificate']] }))).toMatch(/^peer-not-authentic/);
  });

  it('refuses the gateway that is good for another name than we connected to', async () => {
    const elsewhere = {
      ...profileOf(certificate),
      gateway: { ...profileOf(certificate).gateway, host: 'other.example.com' },
    };
    expect(failure(await connect(elsewhere, { ...own, rounds: [['certificate']] }))).toMatch(
      /^peer-identity-mismatch.*other/,
    );
    const named = profileOf(certificate, trusting, 'other.example.com');
    expect(failure(await connect(named, { ...own, rounds: [['certificate']] }))).toMatch(/other\.example\.com/);
  });

  it('knows the distinguished name of a gateway in any order, also without a certificate', async () => {
    const deps = { random: seededBytes('names'), wall: () => NOW, log: () => {} };
    const config = async (identity: string) =>
      (await openAuthentication(profileOf(psk, null, identity), deps)).config(CLIENT.address);
    const [one, other, plain] = [
      await config('CN=gw, O=Example'),
      await config('O=Example, CN=gw'),
      await config('gw'),
    ];
    expect(sameIdentity(one.remoteIdentity!, other.remoteIdentity!)).toBe(false);
    expect(one.sameNames?.(one.remoteIdentity!, other.remoteIdentity!)).toBe(true);
    expect(plain.sameNames).toBeUndefined();
  });

  it('says no password to a gateway that proves nothing', async () => {
    // It has EAP and a key, where the profile wants a certificate: ours does not even try (RFC 7296 §2.16).
    const outcome = await connect(profileOf(eap(['mschapv2'])), {
      rounds: [['eap']],
      eap: { methods: ['mschapv2'], only: true },
    });
    expect(failure(outcome)).toMatch(/refused-by-peer/);
  });

  it('is refused with the wrong password', async () => {
    const wrong = await connect(profileOf(eap(['mschapv2'], { password: 'not that one' })), {
      ...own,
      rounds: [['eap']],
      eap: { methods: ['mschapv2'] },
    });
    expect(failure(wrong)).toMatch(/^eap/);
  });

  it('says what is wrong with our own files before anything is sent', async () => {
    const broken = profileOf({ ...certificate, key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' });
    await expect(connect(broken, { ...own, rounds: [['certificate']] })).rejects.toMatchObject({
      name: 'IkeError',
      code: 'configuration',
    });
    const other = profileOf({ ...certificate, key: pem(gateway.key) });
    await expect(connect(other, { ...own, rounds: [['certificate']] })).rejects.toMatchObject({
      code: 'configuration',
    });
    const stored = profileOf({ method: 'certificate', storedKey: { store: 'token', label: 'alice' } });
    await expect(connect(stored, { ...own, rounds: [['certificate']] })).rejects.toMatchObject({
      message: expect.stringContaining('"token"'),
    });
  });
});
