// Each EAP method against strongSwan's own half of it: who is let in, that both have the same key (AUTH would fail otherwise),
// and what a person hears who is not let in.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EapInnerName, EapMethodName, EapPeerConfig, EapTlsTrust } from '../../main/eap/types.ts';
import { connectEngine } from '../../main/ipc/client.ts';
import type { Prompt } from '../../main/ipc/contract.ts';
import { Certificates, type Issued } from './certificates.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import { RADIUS_CLIENT, Radius, radiusMissing } from './radius.ts';
import { StrongSwan, strongSwan6Missing, strongSwanMissing } from './strongswan.ts';
import { gatewayConfiguration, Scene } from './strongswan-gateway.ts';
import { eapSecret, type Round } from './swanctl.ts';

const CLIENT = fileURLToPath(new URL('./eap-client.mjs', import.meta.url));
const PASSWORD = 'a password that strongSwan knows';

interface Result {
  readonly established: boolean;
  readonly proposal?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly asked: readonly string[];
  /** What EAP itself knew, where the gateway ended IKE_AUTH. */
  readonly failure?: string;
}

interface More {
  readonly passwords?: readonly string[];
  readonly codes?: readonly string[];
  /** Let the gateway prove itself by EAP alone (RFC 5998). */
  readonly gatewayByEap?: boolean;
}

/** A gateway that can be told which method to ask for, and a client in another namespace. */
class EapLab {
  readonly lab = new Lab();
  readonly pki: Certificates;
  readonly gateway: Issued;
  readonly alice: Issued;
  charon!: StrongSwan;

  private constructor() {
    this.lab.namespace('cl');
    this.lab.namespace('gw');
    this.lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
    this.lab.run('gw', 'ip', 'address', 'add', '10.66.0.1/32', 'dev', 'lo');
    this.pki = Certificates.in(this.lab.directory);
    this.gateway = this.pki.issue({ file: 'gateway', key: 'rsa-2048', names: ['DNS:gw.example'] });
    this.alice = this.pki.issue({ file: 'alice', key: 'ecdsa-256', names: ['email:alice@example.com'] });
  }

  static async open(charon: string, version: 5 | 6 = 5): Promise<EapLab> {
    const made = new EapLab();
    try {
      made.charon = await StrongSwan.start(made.lab, 'gw', { swanctl: gatewayConfiguration({}), charon, version });
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  get trust(): EapTlsTrust {
    return { authorities: [this.pki.root.certificate], serverNames: ['gw.example'] };
  }

  /** The gateway wants this from the client from now on. */
  want(remote: Round, local: Round = { auth: 'pubkey', id: 'gw.example', certs: [this.gateway] }): Promise<void> {
    return this.charon.load(
      gatewayConfiguration({
        local: [local],
        remote: [{ eapId: '%any', ...remote }],
        secrets: { ...eapSecret('alice@example.com', PASSWORD) },
      }),
      { own: [this.gateway], authorities: [this.pki.root] },
    );
  }

  async connect(eap: Partial<EapPeerConfig>, more: More = {}): Promise<Result> {
    const options = {
      local: '192.0.2.2',
      remote: '192.0.2.1',
      identity: 'alice@example.com',
      gatewayIdentity: 'gw.example',
      authority: this.pki.root.certificateFile,
      eap: { username: 'alice@example.com', ...eap },
      ...more,
    };
    const { stdout, stderr } = await this.lab.finish('cl', [process.execPath, CLIENT, JSON.stringify(options)], 30_000);
    try {
      return JSON.parse(stdout) as Result;
    } catch {
      throw new Error(`the client: ${stdout}${stderr}\ncharon: ${this.charon.log.slice(-2000)}`);
    }
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

const missing = [cannotRunLive(), strongSwanMissing()];

live('strongSwan, EAP without a tunnel', missing, () => {
  let lab: EapLab;
  beforeAll(async () => {
    lab = await EapLab.open('');
  });
  afterAll(async () => lab?.close());

  it('EAP-MSCHAPv2 lets in with the right password', async () => {
    await lab.want({ auth: 'eap-mschapv2' });
    const result = await lab.connect({ methods: ['mschapv2'] }, { passwords: [PASSWORD] });
    expect(result).toMatchObject({ established: true, asked: ['password'] });
  });

  it('EAP-MSCHAPv2 takes a second password after a wrong one', async () => {
    const result = await lab.connect({ methods: ['mschapv2'] }, { passwords: ['wrong', PASSWORD] });
    expect(result).toMatchObject({ established: true, asked: ['password', 'password again'] });
  });

  it('EAP-MSCHAPv2 refuses a wrong password', async () => {
    const result = await lab.connect({ methods: ['mschapv2'] }, { passwords: ['wrong'] });
    expect(result).toMatchObject({ established: false, code: 'eap', reason: 'credentials-refused' });
  });

  it('a method that the profile does not allow is named', async () => {
    const result = await lab.connect({ methods: ['gtc'] }, { passwords: [PASSWORD] });
    expect(result).toMatchObject({ established: false, asked: [] });
    expect([result.failure, result.reason]).toContain('no-common-method');
  });

  it('EAP-MD5, which makes no key', async () => {
    await lab.want({ auth: 'eap-md5' });
    const result = await lab.connect({ methods: ['mschapv2', 'md5'] }, { passwords: [PASSWORD] });
    expect(result).toMatchObject({ established: true });
  });
});

// strongSwan 5.9 makes other keys of TLS 1.3 than RFC 9190 says (and leaves TLS 1.3 off unless told otherwise); 6 does as the RFC.
for (const [strongSwan, version] of [
  [5, '1.2'],
  [6, '1.3'],
] as const)
  live(
    `strongSwan ${strongSwan}, EAP over TLS ${version}`,
    [...missing, strongSwan === 6 ? strongSwan6Missing() : undefined],
    () => {
      let lab: EapLab;
      beforeAll(async () => {
        const charon = `tls { version_min = ${version}
        version_max = ${version} }
        plugins { eap-ttls { phase2_method = mschapv2 } }`;
        lab = await EapLab.open(charon, strongSwan);
      });
      afterAll(async () => lab?.close());

      it('EAP-TLS', async () => {
        await lab.want({ auth: 'eap-tls' });
        const clientCertificate = { certificate: lab.alice.certificate, key: lab.alice.key };
        const result = await lab.connect({ methods: ['tls'], trust: lab.trust, clientCertificate });
        expect(result).toMatchObject({ established: true });
        expect(lab.charon.log).toContain(`negotiated TLS ${version}`);
      });

      it('EAP-TLS alone, where the gateway proves itself by nothing else (RFC 5998)', async () => {
        await lab.want({ auth: 'eap-tls' }, { auth: 'eap', id: 'gw.example' });
        const clientCertificate = { certificate: lab.alice.certificate, key: lab.alice.key };
        const tls = { methods: ['tls'], trust: lab.trust, clientCertificate, fragmentSize: 200 } as const;
        expect(await lab.connect(tls, { gatewayByEap: true })).toMatchObject({ established: true });
      });

      it('EAP-TTLS with MSCHAPv2 inside', async () => {
        await lab.want({ auth: 'eap-ttls' });
        const ttls = { methods: ['ttls'], inner: ['eap-mschapv2'], trust: lab.trust } as const;
        const result = await lab.connect(ttls, { passwords: [PASSWORD] });
        expect(result).toMatchObject({ established: true, asked: ['password'] });
      });

      it('EAP-TTLS asks nothing for a server of another name', async () => {
        const elsewhere = { ...lab.trust, serverNames: ['radius.example'] };
        const ttls = { methods: ['ttls'], inner: ['eap-mschapv2'], trust: elsewhere } as const;
        const result = await lab.connect(ttls, { passwords: [PASSWORD] });
        expect(result).toMatchObject({ established: false, reason: 'server-certificate', asked: [] });
      });
    },
  );

live('hostapd behind strongSwan, EAP over RADIUS', [...missing, radiusMissing()], () => {
  let lab: EapLab;
  let radius: Radius;
  beforeAll(async () => {
    lab = await EapLab.open(RADIUS_CLIENT);
    const inside = 'MSCHAPV2,GTC,MD5,TTLS-PAP,TTLS-MSCHAPV2';
    radius = await Radius.start(lab.lab, 'gw', {
      own: lab.gateway,
      authorities: [lab.pki.root],
      users: [
        `"bob@example.com" GTC "${PASSWORD}"`,
        '* TTLS,PEAP,TLS',
        `"alice@example.com" ${inside} "${PASSWORD}" [2]`,
      ],
    });
    await lab.want({ auth: 'eap-radius' });
  });
  afterAll(async () => lab?.close());

  const METHODS: readonly (readonly [EapMethodName, EapInnerName])[] = [
    ['peap', 'eap-mschapv2'],
    ['peap', 'eap-gtc'],
    ['ttls', 'pap'],
    ['ttls', 'mschapv2'],
    ['ttls', 'eap-mschapv2'],
    ['ttls', 'eap-gtc'],
  ];
  for (const [method, inner] of METHODS)
    it(`${method} with ${inner}`, async () => {
      const eap = { methods: [method], inner: [inner], trust: lab.trust, anonymousIdentity: 'anonymous@example.com' };
      const result = await lab.connect(eap, { passwords: [PASSWORD] });
      expect(result, radius.log.slice(-3000)).toMatchObject({ established: true, asked: ['password'] });
    });

  it('tls', async () => {
    const clientCertificate = { certificate: lab.alice.certificate, key: lab.alice.key };
    const result = await lab.connect({ methods: ['tls'], trust: lab.trust, clientCertificate });
    expect(result, radius.log.slice(-3000)).toMatchObject({ established: true });
  });

  it('gtc without a tunnel, which makes no key', async () => {
    const eap = { methods: ['gtc'], username: 'bob@example.com' } as const;
    const result = await lab.connect(eap, { passwords: [PASSWORD] });
    expect(result, radius.log.slice(-3000)).toMatchObject({ established: true, asked: ['password'] });
  });

  it('peap refuses a wrong password, and says so', async () => {
    const eap = { methods: ['peap'], inner: ['eap-mschapv2'], trust: lab.trust } as const;
    const result = await lab.connect(eap, { passwords: ['wrong'] });
    expect(result).toMatchObject({ established: false, reason: 'credentials-refused' });
  });
});

live('strongSwan, EAP through profiles and prompts', [...missing, culvertMissing()], () => {
  let scene: Scene;
  let pki: Certificates;
  let gateway: Issued;
  beforeAll(async () => {
    scene = await Scene.open({
      charon: 'plugins { eap-ttls { phase2_method = mschapv2 } }',
      credentials: (lab) => {
        pki = Certificates.in(lab.directory);
        gateway = pki.issue({ file: 'gateway', key: 'ecdsa-256', names: ['DNS:gw.example'] });
        return { own: [gateway], authorities: [pki.root] };
      },
      local: [{ auth: 'pubkey', id: 'gw.example' }],
      remote: [{ auth: 'eap-mschapv2', eapId: '%any' }],
      secrets: eapSecret('alice@example.com', PASSWORD),
    });
  });
  afterAll(async () => scene?.close());

  const profile = () =>
    scene.profile({
      gateway: {
        host: '192.0.2.1',
        identity: 'gw.example',
        authentication: { method: 'certificate', authorities: [pki.root.certificate] },
      },
      authentication: { method: 'eap', identity: 'alice@example.com', eap: { methods: ['mschapv2'] } },
    });

  it('is asked, asked again after a mistake, and not when the connection comes back', async () => {
    const client = await connectEngine(scene.culvert.socket);
    const asked: Prompt[] = [];
    const answers = ['a mistake', PASSWORD];
    client.on('status', ({ engine }) => {
      const prompt = engine.state === 'connecting' ? engine.prompt : undefined;
      if (!prompt || asked.some(({ id }) => id === prompt.id)) return;
      asked.push(prompt);
      void client.call('answerPrompt', { id: prompt.id, answer: answers.shift() ?? null });
    });
    await client.call('subscribe', { events: ['status'] });
    await client.call('import', { text: JSON.stringify(profile()), replace: true });
    await client.call('connect', { profile: 'lab' });
    expect(asked).toMatchObject([
      { kind: 'password', username: 'alice@example.com', gateway: '192.0.2.1', refused: false },
      { refused: true },
    ]);
    expect(await scene.ping(3, 500)).toBe(3);
    expect(scene.culvert.daemon.output).not.toContain(PASSWORD);

    await scene.gateway.swanctl('--terminate', '--ike', 'road');
    await scene.culvert.until(({ engine }) => engine.state !== 'connected');
    await scene.culvert.until(({ engine }) => engine.state === 'connected');
    expect(asked).toHaveLength(2);
    client.close();
  });

  it('EAP-TTLS through a profile: no password for another name or authority, and in with the right ones', async () => {
    await scene.culvert.down();
    await scene.gateway.load(
      gatewayConfiguration({
        local: [{ auth: 'pubkey', id: 'gw.example' }],
        remote: [{ auth: 'eap-ttls', eapId: '%any' }],
        secrets: eapSecret('alice@example.com', PASSWORD),
      }),
      { own: [gateway], authorities: [pki.root] },
    );
    const stranger = Certificates.in(scene.lab.directory, 'ecdsa-256', 'stranger').root.certificate;
    const ttls = (changes: Record<string, unknown>) => {
      const eap = { methods: ['ttls'], inner: ['eap-mschapv2'], password: PASSWORD, ...changes };
      return { ...profile(), authentication: { method: 'eap', identity: 'alice@example.com', eap } };
    };
    const authorities = [pki.root.certificate];
    for (const wrong of [
      { authorities, serverNames: ['radius.example'] },
      { authorities: [stranger], serverNames: ['gw.example'] },
    ]) {
      const { code, stderr } = await scene.culvert.up(ttls(wrong));
      expect(code).not.toBe(0);
      expect(stderr).toContain(
        'the certificate of the TLS server inside EAP was not accepted, and no password was sent',
      );
    }
    await scene.culvert.connect(ttls({ authorities, serverNames: ['gw.example'] }));
    expect(await scene.ping(3, 500)).toBe(3);
    expect(scene.culvert.daemon.output).not.toContain(PASSWORD);
    await scene.culvert.down();
  });
});
