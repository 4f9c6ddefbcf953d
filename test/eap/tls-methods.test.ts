import { beforeAll, describe, expect, it } from 'vitest';
import type { EapInnerName, EapMethodName, EapPeerConfig, EapServerConfig } from '../../main/eap/types.ts';
import { type EapCertificates, makeCertificates, SERVER_NAME } from './certificates.ts';
import { converse, hex, numbersFrom, peerOf, secretsOf, serverOf } from './conversation.ts';

let certificates: EapCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const trust = () => ({ authorities: [certificates.authority], serverNames: [SERVER_NAME] });
const peerConfig = (config: Partial<EapPeerConfig> = {}): Partial<EapPeerConfig> => ({
  anonymousIdentity: '@example',
  gatewayProven: false,
  trust: trust(),
  clientCertificate: certificates.client,
  ...config,
});
const serverConfig = (config: Partial<EapServerConfig> = {}): Partial<EapServerConfig> => ({
  tls: { ...certificates.server, clientAuthorities: [certificates.authority] },
  ...config,
});

type Version = 'TLSv1.2' | 'TLSv1.3';
const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3'];
const METHODS: readonly (readonly [EapMethodName, EapInnerName])[] = [
  ['tls', 'eap-mschapv2'],
  ['ttls', 'pap'],
  ['ttls', 'mschapv2'],
  ['ttls', 'eap-mschapv2'],
  ['ttls', 'eap-gtc'],
  ['ttls', 'eap-md5'],
  ['ttls', 'eap-tls'],
  ['peap', 'eap-mschapv2'],
  ['peap', 'eap-gtc'],
  ['peap', 'eap-tls'],
];
const CASES = VERSIONS.flatMap((version) => METHODS.map(([method, inner]) => [version, method, inner] as const));

const run = (
  version: Version,
  method: EapMethodName,
  inner: EapInnerName,
  passwords: readonly (string | null)[],
  more: { readonly peer?: Partial<EapPeerConfig>; readonly server?: Partial<EapServerConfig> } = {},
) => {
  const { secrets, asked } = secretsOf(passwords);
  const peer = peerOf(peerConfig({ methods: [method], inner: [inner], ...more.peer }), secrets);
  const server = serverOf(
    serverConfig({
      methods: [method],
      inner: [inner],
      tls: { ...certificates.server, clientAuthorities: [certificates.authority], maxVersion: version },
      ...more.server,
    }),
  );
  return { peer, server, asked };
};

describe('a method over TLS', () => {
  it.each(CASES)('%s %s with %s lets in, and both have the same key', async (version, method, inner) => {
    const { peer, server, asked } = run(version, method, inner, ['correct horse']);
    const outcome = await converse(peer, server);
    expect(outcome.peer).toMatchObject({ state: 'success' });
    expect(outcome.server).toMatchObject({ state: 'success', identity: 'alice' });
    if (outcome.peer.state !== 'success' || outcome.server.state !== 'success') throw new Error('no success');
    expect(outcome.peer.msk).toHaveLength(64);
    expect(outcome.peer.msk?.some((byte) => byte !== 0)).toBe(true);
    expect(hex(outcome.peer.msk)).toBe(hex(outcome.server.msk));
    expect(asked).toEqual(inner === 'eap-tls' || method === 'tls' ? [] : ['password']);
    peer.close();
    server.close();
  });

  it.each(CASES.filter(([, method, inner]) => method !== 'tls' && inner !== 'eap-tls'))(
    '%s %s with %s refuses a wrong password',
    async (version, method, inner) => {
      const { peer, server } = run(version, method, inner, ['wrong']);
      const outcome = await converse(peer, server);
      expect(outcome.server.state).toBe('failure');
      expect(outcome.peer).toMatchObject({ state: 'failure', error: { reason: 'credentials-refused' } });
    },
  );

  it.each(CASES)('%s %s with %s asks nothing for another authority’s server', async (version, method, inner) => {
    const { peer, server, asked } = run(version, method, inner, ['correct horse'], {
      peer: { trust: { authorities: [certificates.otherAuthority], serverNames: [SERVER_NAME] } },
    });
    const outcome = await converse(peer, server);
    expect(outcome.peer).toMatchObject({ state: 'failure', error: { reason: 'server-certificate' } });
    expect(outcome.server.state).not.toBe('success');
    expect(asked).toEqual([]);
  });
});

describe('the server’s certificate', () => {
  it.each(VERSIONS)('of another name is refused before a password is asked for (%s)', async (version) => {
    const { peer, server, asked } = run(version, 'ttls', 'pap', ['correct horse'], {
      peer: { trust: { authorities: [certificates.authority], serverNames: ['vpn.example'] } },
    });
    const outcome = await converse(peer, server);
    expect(outcome.peer).toMatchObject({ state: 'failure', error: { reason: 'server-certificate' } });
    if (outcome.peer.state === 'failure') expect(outcome.peer.error.message).toContain('not for vpn.example');
    expect(asked).toEqual([]);
  });

  it('matches no name where the profile has none', async () => {
    const { peer, server } = run('TLSv1.3', 'peap', 'eap-mschapv2', ['correct horse'], {
      peer: { trust: { authorities: [certificates.authority], serverNames: [] } },
    });
    expect((await converse(peer, server)).peer).toMatchObject({ error: { reason: 'server-certificate' } });
  });

  it('that has expired is refused', async () => {
    const { peer, server, asked } = run('TLSv1.2', 'ttls', 'pap', ['correct horse'], {
      server: { tls: { ...certificates.expired, clientAuthorities: [] } },
    });
    const outcome = await converse(peer, server);
    expect(outcome.peer).toMatchObject({ state: 'failure', error: { reason: 'server-certificate' } });
    if (outcome.peer.state === 'failure') expect(outcome.peer.error.message).toContain('expired');
    expect(asked).toEqual([]);
  });

  it.each(VERSIONS)('goes to the check that was handed in, before anything is said inside (%s)', async (version) => {
    const chains: number[] = [];
    const check = async (chain: readonly Uint8Array[]) => {
      chains.push(chain.length);
      return { message: 'it was revoked', remedy: 'ask' };
    };
    const { peer, server, asked } = run(version, 'ttls', 'pap', ['correct horse'], {
      peer: { trust: { authorities: undefined, serverNames: [], check } },
    });
    expect((await converse(peer, server)).peer).toMatchObject({
      error: { reason: 'server-certificate', remedy: 'ask' },
    });
    expect(chains).toEqual([2]);
    expect(asked).toEqual([]);
  });
});

describe('our certificate', () => {
  it.each(VERSIONS)('of another authority is refused (%s)', async (version) => {
    const { peer, server } = run(version, 'tls', 'pap', [], {
      peer: { clientCertificate: certificates.strangerClient },
    });
    const outcome = await converse(peer, server);
    expect(outcome.server.state).toBe('failure');
    expect(outcome.peer).toMatchObject({ state: 'failure', error: { code: 'eap' } });
    if (outcome.peer.state === 'failure') expect(['client-certificate', 'tls']).toContain(outcome.peer.error.reason);
  });

  it('that is missing is a matter of the profile', async () => {
    const { peer, server } = run('TLSv1.3', 'tls', 'pap', [], { peer: { clientCertificate: undefined } });
    expect((await converse(peer, server)).peer).toMatchObject({ error: { reason: 'configuration' } });
  });
});

describe('fragments', () => {
  it.each([64, 65, 100, 255, 1400, 60_000])('of %i bytes carry the handshake', async (fragmentSize) => {
    const { peer, server } = run('TLSv1.3', 'ttls', 'eap-mschapv2', ['correct horse'], {
      peer: { fragmentSize },
      server: { fragmentSize },
    });
    const { peer: step, server: end, rounds } = await converse(peer, server);
    expect([step.state, end.state]).toEqual(['success', 'success']);
    if (fragmentSize === 64) expect(rounds).toBeGreaterThan(30);
  });

  it('come to the same end over a link that loses and repeats', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    console.log(`seed ${seed}`);
    for (let round = 0; round < 12; round++) {
      const next = numbersFrom(seed + round);
      const [version, method, inner] = CASES[Math.floor(next() * CASES.length)]!;
      const fragmentSize = 64 + Math.floor(next() * 400);
      const { peer, server } = run(version, method, inner, ['correct horse'], {
        peer: { fragmentSize },
        server: { fragmentSize },
      });
      const outcome = await converse(peer, server, { loss: 0.2, repeat: 0.3, next });
      expect([round, outcome.peer.state, outcome.server.state]).toEqual([round, 'success', 'success']);
      if (outcome.peer.state === 'success' && outcome.server.state === 'success')
        expect(hex(outcome.peer.msk)).toBe(hex(outcome.server.msk));
      peer.close();
      server.close();
    }
  });
});
