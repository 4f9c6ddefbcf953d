// An authority, a RADIUS server below an intermediate, and a client, as PEM, good around the real now: TLS looks at the real clock.
import { DAY, type Made, make } from '../pki/authority.ts';

export interface Party {
  readonly certificate: string;
  readonly key: string;
}

export interface EapCertificates {
  readonly authority: string;
  readonly otherAuthority: string;
  readonly server: Party;
  readonly expired: Party;
  readonly client: Party;
  /** Of the other authority. */
  readonly strangerClient: Party;
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const SERVER_NAME = 'radius.example';

const party = (made: Made, ...chain: readonly Made[]): Party => ({
  certificate: [made, ...chain].map(({ pem }) => pem).join('\n'),
  key: made.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
});

export async function makeCertificates(): Promise<EapCertificates> {
  const now = Date.now();
  const life = { from: now - 2 * DAY, to: now + 2 * DAY };
  const authority = await make({ subject: 'CN=EAP root', ...life });
  const other = await make({ subject: 'CN=Other root', ...life });
  const intermediate = await make({ subject: 'CN=EAP intermediate', issuer: authority, ca: true, ...life });
  const server = { subject: 'CN=RADIUS', issuer: intermediate, extendedUsage: [SERVER_AUTH] } as const;
  const names = [{ type: 'dns', value: SERVER_NAME }] as const;
  const client = { extendedUsage: [CLIENT_AUTH], ...life } as const;
  return {
    authority: authority.pem,
    otherAuthority: other.pem,
    server: party(await make({ ...server, names, kind: 'rsa', ...life }), intermediate),
    expired: party(await make({ ...server, names, from: now - 2 * DAY, to: now - DAY }), intermediate),
    client: party(await make({ subject: 'CN=alice', issuer: authority, ...client })),
    strangerClient: party(await make({ subject: 'CN=mallory', issuer: other, ...client })),
  };
}
