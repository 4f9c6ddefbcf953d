// The certificate of the EAP server, checked by this program's own rules through a whole handshake.
import { beforeAll, describe, expect, it } from 'vitest';
import { checkBy } from '../../main/eap/server-trust.ts';
import { DEFAULT_TRUST_POLICY } from '../../main/pki/policy.ts';
import { createTrust } from '../../main/pki/trust.ts';
import { certificatesOf } from '../pki/authority.ts';
import { type EapCertificates, makeCertificates, type Party, SERVER_NAME } from './certificates.ts';
import { converse, peerOf, secretsOf, serverOf } from './conversation.ts';

let certificates: EapCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const connect = async (serverNames: readonly string[], authority: string, server: Party = certificates.server) => {
  const trust = createTrust({
    authorities: certificatesOf(authority),
    clock: () => Date.now(),
    policy: DEFAULT_TRUST_POLICY,
  });
  const { secrets, asked } = secretsOf(['correct horse']);
  const peer = peerOf(
    {
      methods: ['ttls'],
      inner: ['pap'],
      gatewayProven: false,
      trust: { authorities: [], serverNames, check: checkBy(trust, serverNames) },
    },
    secrets,
  );
  const step = (
    await converse(peer, serverOf({ methods: ['ttls'], inner: ['pap'], tls: { ...server, clientAuthorities: [] } }))
  ).peer;
  const error = step.state === 'failure' ? step.error : undefined;
  return { state: step.state, reason: error?.reason, message: error?.message ?? '', asked };
};

describe('the certificate of the EAP server', () => {
  it('is good for one of the names', async () => {
    const result = await connect(['vpn.example', SERVER_NAME], certificates.authority);
    expect(result).toMatchObject({ state: 'success', asked: ['password'] });
  });

  it.each<[string, () => ReturnType<typeof connect>, RegExp]>([
    ['another name', () => connect(['vpn.example'], certificates.authority), /radius\.example/],
    ['an address that it does not have', () => connect(['192.0.2.1'], certificates.authority), /192\.0\.2\.1/],
    ['no name at all', () => connect([], certificates.authority), /./],
    ['another authority', () => connect([SERVER_NAME], certificates.otherAuthority), /./],
    [
      'an end in the past',
      () => connect([SERVER_NAME], certificates.authority, certificates.expired),
      /expired|20\d\d/,
    ],
    ['another purpose', () => connect(['alice'], certificates.authority, certificates.client), /./],
  ])('is refused with %s, and no password is asked for', async (_what, attempt, words) => {
    const { reason, message, asked } = await attempt();
    expect(reason).toBe('server-certificate');
    expect(message).toMatch(words);
    expect(asked).toEqual([]);
  });
});
