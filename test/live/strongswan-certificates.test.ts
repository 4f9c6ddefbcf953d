// Certificates with strongSwan: every kind of key in both ways of signing, chains, names, and certificates that are no good.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Certificates, type Issued, type KeyKind, opensslMissing } from './certificates.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { gatewayConfiguration, Scene, type SceneOptions } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), opensslMissing(), culvertMissing()];

/** strongSwan's words for how a peer has signed. */
const METHODS: Readonly<Record<'rfc7427' | 'classic', Readonly<Record<string, RegExp>>>> = {
  rfc7427: {
    'rsa-2048pss': /^RSA_EMSA_PSS_SHA2_/,
    'rsa-3072pss': /^RSA_EMSA_PSS_SHA2_/,
    'rsa-3072pkcs1': /^RSA_EMSA_PKCS1_SHA2_/,
    'ecdsa-256': /^ECDSA_WITH_SHA256_DER$/,
    'ecdsa-384': /^ECDSA_WITH_SHA384_DER$/,
    'ecdsa-521': /^ECDSA_WITH_SHA512_DER$/,
    ed25519: /^ED25519$/,
  },
  classic: {
    'rsa-3072pkcs1': /^RSA$/,
    'ecdsa-256': /^ECDSA-256$/,
    'ecdsa-384': /^ECDSA-384$/,
    'ecdsa-521': /^ECDSA-521$/,
  },
};

for (const [way, charon] of [
  ['RFC 7427', ''],
  ['the classic methods', 'signature_authentication = no'],
] as const) {
  live(`strongSwan, certificates, signed by ${way}`, missing, () => {
    let scene: Scene;
    let pki: Certificates;
    const made = new Map<string, Issued>();
    /** One key of each kind, for the gateway and for the client. */
    const issued = (who: 'gateway' | 'client', key: KeyKind): Issued => {
      const name = `${who}-${key}`;
      const known = made.get(name);
      if (known) return known;
      const names = who === 'gateway' ? ['DNS:gw.example', 'IP:192.0.2.1'] : ['email:alice@example.com'];
      const fresh = pki.issue({ file: name, key, names });
      made.set(name, fresh);
      return fresh;
    };

    beforeAll(async () => {
      scene = await Scene.open({ charon });
      pki = Certificates.in(scene.lab.directory);
    });
    afterAll(async () => scene?.close());
    afterEach(async () => void (await scene.culvert.down()));

    const classic = charon !== '';
    for (const [key, auth, padding] of [
      ['rsa-2048', 'rsa/pss-sha256', 'pss'],
      ['rsa-3072', 'rsa/pss-sha512', 'pss'],
      ['rsa-3072', 'rsa-sha384', 'pkcs1'],
      ['ecdsa-256', 'ecdsa-sha256', undefined],
      ['ecdsa-384', 'ecdsa-sha384', undefined],
      ['ecdsa-521', 'ecdsa-sha512', undefined],
      ['ed25519', 'pubkey', undefined],
    ] as const) {
      if (classic && (key === 'ed25519' || padding === 'pss')) continue;
      it(`${key}${padding ? `, ${padding}` : ''}`, async () => {
        const [gateway, client] = [issued('gateway', key), issued('client', key)];
        const options: SceneOptions = {
          local: [{ auth: classic ? 'pubkey' : auth, id: 'gw.example', certs: [gateway] }],
          remote: [{ auth: 'pubkey', id: 'alice@example.com', cacerts: [pki.root] }],
        };
        const from = scene.gateway.log.length;
        await scene.gateway.load(gatewayConfiguration(options), { own: [gateway], authorities: [pki.root] });
        await scene.culvert.connect(
          scene.profile({
            gateway: {
              host: '192.0.2.1',
              identity: 'gw.example',
              authentication: {
                method: 'certificate',
                authorities: [pki.root.certificate],
                ...(classic && key.startsWith('rsa') ? { legacy: true } : {}),
              },
            },
            authentication: {
              method: 'certificate',
              identity: 'alice@example.com',
              certificate: client.certificate,
              key: client.key,
              ...(padding ? { rsaPadding: padding } : {}),
            },
          }),
        );
        expect(await scene.ping(3, 500)).toBe(3);
        // Both signed as this test is called.
        const log = scene.gateway.log.slice(from);
        for (const said of [
          /authentication of 'alice@example\.com' with (\S+)(?: signature)? successful/,
          /authentication of 'gw\.example' \(myself\) with (\S+)(?: signature)? successful/,
        ]) {
          const [, method] = said.exec(log) ?? [];
          expect(method, log).toMatch(METHODS[classic ? 'classic' : 'rfc7427'][`${key}${padding ?? ''}`]!);
        }
      });
    }
  });
}

live('strongSwan, chains, names and certificates that are no good', missing, () => {
  let scene: Scene;
  let pki: Certificates;
  let client: Issued;
  let good: Issued;

  const GOOD = { key: 'ecdsa-256', names: ['DNS:gw.example', 'IP:192.0.2.1'] } as const;

  interface Case {
    readonly gateway?: Issued;
    readonly gatewayId?: string;
    /** What the gateway knows beside its own certificate. */
    readonly others?: readonly Issued[];
    readonly expected?: string;
    /** Changes to gateway.authentication, and to authentication, of the profile. */
    readonly checking?: Record<string, unknown>;
    readonly proving?: Record<string, unknown>;
  }

  /** Sets the gateway up and says the profile that goes with it. */
  async function prepare(of: Case): Promise<Record<string, unknown>> {
    const gateway = of.gateway ?? good;
    const options: SceneOptions = {
      local: [{ auth: 'pubkey', id: of.gatewayId ?? 'gw.example', certs: [gateway] }],
      remote: [{ auth: 'pubkey', id: '%any', cacerts: [pki.root] }],
    };
    const credentials = { own: [gateway], authorities: [pki.root], others: of.others ?? [] };
    await scene.gateway.load(gatewayConfiguration(options), credentials);
    return scene.profile({
      gateway: {
        host: '192.0.2.1',
        identity: of.expected ?? 'gw.example',
        authentication: { method: 'certificate', authorities: [pki.root.certificate], ...of.checking },
      },
      authentication: {
        method: 'certificate',
        identity: 'alice@example.com',
        ...(of.proving ?? { certificate: client.certificate, key: client.key }),
      },
    });
  }

  async function works(of: Case): Promise<void> {
    await scene.culvert.connect(await prepare(of));
    expect(await scene.ping(3, 500)).toBe(3);
  }

  /** The connection fails, and what the person reads says why. */
  async function fails(of: Case, why: RegExp): Promise<void> {
    const up = await scene.culvert.up(await prepare(of));
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(why);
    // The gateway keeps nothing of an attempt that we gave up.
    expect((await scene.gateway.swanctl('--list-sas')).stdout).toBe('');
  }

  beforeAll(async () => {
    // Without that, this gateway takes the name that we ask for by another order for somebody else's.
    scene = await Scene.open({ charon: 'rdn_matching = reordered' });
    pki = Certificates.in(scene.lab.directory);
    client = pki.issue({ file: 'alice', key: 'ecdsa-256', names: ['email:alice@example.com'] });
    good = pki.issue({ file: 'gateway', ...GOOD });
    // Revocation lists, as an authority publishes them.
    const server = scene.lab.start('gw', [
      ...['/usr/bin/python3', '-u', '-m', 'http.server', '8080', '--bind', '192.0.2.1'],
      ...['--directory', dirname(pki.root.certificateFile)],
    ]);
    await server.saw(/Serving HTTP/);
  });
  afterAll(async () => scene?.close());
  afterEach(async () => void (await scene.culvert.down()));

  it('intermediate certificates from either side', async () => {
    const [gateway, alice] = [
      pki.issue({ file: 'gateway-below', ...GOOD, by: pki.intermediate }),
      pki.issue({ file: 'alice-below', key: 'rsa-2048', names: ['email:alice@example.com'], by: pki.intermediate }),
    ];
    await works({
      gateway,
      others: [pki.intermediate],
      proving: { certificate: alice.certificate + pki.intermediate.certificate, key: alice.key },
    });
  });

  it('a PKCS#12 file with a chain', async () => {
    const alice = pki.issue({
      file: 'alice-packed',
      key: 'ecdsa-384',
      names: ['email:alice@example.com'],
      by: pki.intermediate,
    });
    const pkcs12 = readFileSync(pki.pkcs12(alice, 'open sesame', [pki.intermediate]));
    await works({ proving: { pkcs12: { base64: pkcs12.toString('base64') }, passphrase: 'open sesame' } });
  });

  it('the gateway by its address, and by its distinguished name in another order', async () => {
    await works({ gatewayId: '192.0.2.1', expected: '192.0.2.1' });
    await scene.culvert.down();
    const named = pki.issue({ file: 'named', key: 'ecdsa-256', subject: 'C=CH/O=Culvert Lab/OU=Gateways/CN=gw seven' });
    await works({
      gateway: named,
      gatewayId: 'C=CH, O=Culvert Lab, OU=Gateways, CN=gw seven',
      expected: 'CN=gw seven, OU=Gateways, O=Culvert Lab, C=CH',
    });
  });

  it('the client by its distinguished name', async () => {
    await works({ proving: { certificate: client.certificate, key: client.key, identity: null } });
    expect(scene.gateway.log).toContain("authentication of 'O=Culvert Lab, CN=alice'");
  });

  it('a revocation list from its address, strictly', async () => {
    const crl = 'http://192.0.2.1:8080/root.crl';
    const [listed, revoked] = ['listed', 'revoked'].map((file) => pki.issue({ file, ...GOOD, crl })) as [
      Issued,
      Issued,
    ];
    pki.revoke(revoked);
    pki.crl();
    await works({ gateway: listed, checking: { revocation: 'strict' } });
    await scene.culvert.down();
    await fails({ gateway: revoked }, /revoked/i);
  });

  it('OCSP, strictly', async () => {
    const ocsp = 'http://192.0.2.1:8081/';
    const [listed, revoked] = ['asked', 'withdrawn'].map((file) => pki.issue({ file, ...GOOD, ocsp })) as [
      Issued,
      Issued,
    ];
    pki.revoke(revoked);
    await pki.ocsp(scene.lab, 'gw', 8081);
    await works({ gateway: listed, checking: { revocation: 'strict' } });
    await scene.culvert.down();
    await fails({ gateway: revoked, checking: { revocation: 'strict' } }, /revoked/i);
  });

  it('strictly, where nobody can be asked', () => fails({ checking: { revocation: 'strict' } }, /revo/i));

  it('an expired one', () =>
    fails({ gateway: pki.issue({ file: 'old', ...GOOD, valid: 'expired' }) }, /expired|valid/i));

  it('one that is good from tomorrow', () =>
    fails({ gateway: pki.issue({ file: 'early', ...GOOD, valid: 'not-yet' }) }, /not yet|valid|clock/i));

  it('one of an authority that we do not trust', async () => {
    const other = Certificates.in(scene.lab.directory, 'ecdsa-256', 'other');
    await fails({ checking: { authorities: [other.root.certificate] } }, /authorit|trust/i);
  });

  it('one with another name', () =>
    fails({ gateway: pki.issue({ file: 'other', ...GOOD, names: ['DNS:other.example'] }) }, /gw\.example/));

  it('one that is for code signing', () =>
    fails({ gateway: pki.issue({ file: 'signer', ...GOOD, usage: ['codeSigning'] }) }, /usage|purpose|meant/i));

  it('ours is of an authority that the gateway does not trust', async () => {
    const other = Certificates.in(scene.lab.directory, 'ecdsa-256', 'strange');
    const alice = other.issue({ file: 'alice', key: 'ecdsa-256', names: ['email:alice@example.com'] });
    await fails({ proving: { certificate: alice.certificate, key: alice.key } }, /certificate/i);
  });
});
