// What goes wrong in life: each failure names its cause and leaves the machine as it was.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('failures against strongSwan', missing, () => {
  let scene: Scene;
  let before: string;

  /** Everything that Culvert could have changed in the client's namespace. */
  const machine = (): string =>
    [
      ['link', 'show'],
      ['-4', 'rule'],
      ['-6', 'rule'],
      ['-4', 'route', 'show', 'table', 'all'],
      ['-6', 'route', 'show', 'table', 'all'],
    ]
      .map((command) => scene.lab.run('cl', 'ip', ...command))
      .join('\n')
      // Link-local addresses settle on their own time (duplicate address detection).
      .replace(/^.*(fe80|ff00).*$\n/gm, '');

  beforeEach(async () => {
    scene = await Scene.open();
    before = machine();
  });
  afterEach(async () => {
    try {
      expect(machine()).toBe(before);
    } finally {
      await scene.close();
    }
  });

  it('a wrong secret', async () => {
    const up = await scene.culvert.up(
      scene.profile({ authentication: { method: 'psk', identity: 'alice@example.com', secret: 'wrong' } }),
    );
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(/pre-shared key/);
    expect(up.stderr).toMatch(/AUTHENTICATION_FAILED|did not accept|refused/i);
    expect((await scene.culvert.status()).engine).toMatchObject({
      state: 'failed',
      error: { code: 'ike/refused-by-peer' },
    });
  });

  it('no common IKE proposal', async () => {
    const up = await scene.culvert.up(scene.profile({ proposals: { ike: ['aes128gcm16-prfsha256-x25519'] } }));
    expect(up.code).not.toBe(0);
    expect(up.stderr).toContain('aes128gcm16-prfsha256-x25519');
    expect((await scene.culvert.status()).engine).toMatchObject({ error: { code: 'ike/no-ike-proposal' } });
  });

  it('no common ESP proposal', async () => {
    const gcmOnly = await Scene.open({ espProposals: 'aes256gcm16' });
    try {
      const up = await gcmOnly.culvert.up(gcmOnly.profile({ proposals: { esp: ['chacha20poly1305'] } }));
      expect(up.code).not.toBe(0);
      expect((await gcmOnly.culvert.status()).engine).toMatchObject({ error: { code: 'ike/no-child-proposal' } });
    } finally {
      await gcmOnly.close();
    }
  });

  it('traffic selectors that the gateway does not know', async () => {
    const up = await scene.culvert.up(scene.profile({ gre: { address: ['10.88.0.2/24'], remote: '10.78.0.1' } }));
    expect(up.code).not.toBe(0);
    expect((await scene.culvert.status()).engine).toMatchObject({ error: { code: 'ike/traffic-selectors' } });
  });

  it('another identity than the gateway’s', async () => {
    const up = await scene.culvert.up(scene.profile({ gateway: { host: '192.0.2.1', identity: 'other.example' } }));
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(/other\.example|identity|refused/);
  });

  it('a gateway that does not answer', async () => {
    const up = await scene.culvert.up(
      scene.profile({ gateway: { host: '192.0.2.77', identity: 'gw.example' }, timing: { connectSeconds: 5 } }),
    );
    expect(up.code).not.toBe(0);
    expect(up.stderr).toContain('192.0.2.77');
    expect((await scene.culvert.status()).engine).toMatchObject({ error: { code: 'ike/no-response' } });
  });

  it('a profile with a typing error', async () => {
    const file = join(scene.lab.directory, 'typo.json');
    writeFileSync(file, JSON.stringify({ ...scene.profile(), rotes: {} }), { mode: 0o600 });
    const imported = await scene.culvert.cli(['import', file]);
    expect(imported.code).not.toBe(0);
    expect(imported.stderr).toContain('/rotes');
    expect(imported.stderr).toContain('routes');
  });

  it('no permission to make a TUN adapter', async () => {
    await scene.culvert.daemon.stop();
    const powerless = await Culvert.start(scene.lab, 'cl', [
      ...['setpriv', '--bounding-set', '-net_admin,-net_raw', '--inh-caps', '-net_admin,-net_raw'],
    ]);
    const up = await powerless.up(scene.profile());
    expect(up.code).not.toBe(0);
    expect(up.stderr).toMatch(/CAP_NET_ADMIN/);
    expect((await powerless.status()).engine).toMatchObject({ state: 'failed', error: { code: 'net/no-permission' } });
    await powerless.daemon.stop();
    // The gateway was told that the attempt is over.
    expect((await scene.gateway.swanctl('--list-sas')).stdout).toBe('');
  });

  it('kill -9, and a new start finds and removes what was left', async () => {
    await scene.culvert.connect(scene.profile({ routes: { include: ['0.0.0.0/0'] } }));
    expect(machine()).not.toBe(before);
    await scene.culvert.daemon.stop('SIGKILL');
    await scene.culvert.restart();
    expect(machine()).toBe(before);
    await scene.culvert.connect(scene.profile({ routes: { include: ['0.0.0.0/0'] } }));
    expect(await scene.ping(3, 56)).toBe(3);
    await scene.culvert.daemon.stop('SIGTERM');
  });

  it('down while connecting, and SIGTERM while connected', async () => {
    const connecting = scene.culvert.up(
      scene.profile({ gateway: { host: '192.0.2.77', identity: 'gw.example' }, timing: { connectSeconds: 30 } }),
    );
    await scene.culvert.until(({ engine }) => engine.state === 'connecting', 10_000);
    expect((await scene.culvert.down()).code).toBe(0);
    expect((await connecting).code).not.toBe(0);
    expect(machine()).toBe(before);
    await scene.culvert.connect(scene.profile());
    await scene.culvert.daemon.stop('SIGTERM');
    expect((await scene.gateway.swanctl('--list-sas')).stdout).toBe('');
  });
});
