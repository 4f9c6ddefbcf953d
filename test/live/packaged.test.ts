// The engine of the packaged desktop app (test/electron/stand-in.ts), run by the Node that was packaged with it, with an empty
// environment, as the system service runs it: it connects, so its workers, its packet core and koffi are found where they lie.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connectEngine } from '../../main/ipc/client.ts';
import { notBuilt, packageApp } from '../electron/stand-in.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';

const GATEWAY = fileURLToPath(new URL('../../build/out/main/gateway/run.js', import.meta.url));
const SECRET = 'correct horse battery staple';

live('the packaged engine', [cannotRunLive(), notBuilt, culvertMissing('gateway/run.js')], () => {
  test('connects', async () => {
    const lab = new Lab();
    const folder = mkdtempSync(join(tmpdir(), 'culvert-package-'));
    try {
      const { resources } = await packageApp(folder, 'linux');
      const engine = join(resources, 'engine');
      lab.namespace('cl');
      lab.namespace('gw');
      lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
      const config = join(lab.directory, 'gateway.json');
      writeFileSync(
        config,
        JSON.stringify({
          identity: 'gateway.example',
          users: [{ identity: 'alice@example.com', secret: SECRET }],
          listen: { address: '192.0.2.1' },
          pool: { ipv4: '10.99.0.0/24' },
          gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
        }),
      );
      await lab.start('gw', [process.execPath, GATEWAY, '--config', config]).saw(/"event":"ready"/);
      const socket = join(lab.directory, 'cl.sock');
      const daemon = lab.start('cl', [
        ...[
          'env',
          '-i',
          '-C',
          '/',
          join(engine, 'node'),
          join(engine, 'main/cli/culvert.js'),
          'daemon',
          '--foreground',
        ],
        ...['--socket', socket, '--profiles', join(lab.directory, 'profiles')],
      ]);
      await daemon.saw(/ready/);
      const client = await connectEngine(socket);
      const profile = {
        culvert: 1,
        name: 'office',
        gateway: { host: '192.0.2.1', identity: 'gateway.example' },
        authentication: { method: 'psk', identity: 'alice@example.com', secret: SECRET },
        tunnel: { shape: 'gre-tunnel' },
        gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
        routes: { include: ['10.88.0.0/24'] },
      };
      await client.call('import', { text: JSON.stringify(profile), replace: false });
      await client.call('connect', { profile: 'office' });
      expect(lab.run('cl', 'ping', '-n', '-c', '1', '-W', '2', '10.88.0.1')).toContain('1 received');
      await client.call('disconnect', {});
      client.close();
    } finally {
      await lab.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
