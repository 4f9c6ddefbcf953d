// The desktop shell, with a double of Electron, in front of a real engine and the real gateway: connects, and brings a new
// engine back to what the person wants after the first was killed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createShell } from '../../main/electron/shell.ts';
import { connectEngine, openEngineSocket } from '../../main/ipc/client.ts';
import type { Events } from '../../main/ipc/contract.ts';
import { FakeElectron } from '../electron/fake-electron.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import { OFFICE_INSIDE, officeNetwork, officeProfile, startOffice } from './office.ts';

live('the desktop shell and a real engine', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  test('connects, changes a route and the MTU, restores the connection after a crash, and brings it up by itself', async () => {
    const lab = new Lab();
    const folder = mkdtempSync(join(tmpdir(), 'culvert-shell-'));
    try {
      const wire = officeNetwork(lab);
      await startOffice(lab);
      const culvert = await Culvert.start(lab, 'cl');
      const socket = join(lab.directory, 'cl.sock');
      const electron = new FakeElectron(folder);
      const shell = createShell({
        electron,
        argv: ['culvert'],
        platform: 'linux',
        page: '/opt/culvert/index.html',
        preload: '/opt/culvert/preload.cjs',
        icons: '/icons',
        connect: () => connectEngine(socket),
        openSocket: () => openEngineSocket(socket),
        launch: null,
        now: Date.now,
        after: (milliseconds, then) => {
          const timer = setTimeout(then, milliseconds);
          return () => clearTimeout(timer);
        },
      })!;
      const soon = { timeout: 20_000, interval: 50 };
      await expect.poll(() => shell.supervisor.client !== undefined, soon).toBe(true);
      const client = shell.supervisor.client!;
      await client.call('import', { text: JSON.stringify(officeProfile()), replace: false });
      await expect.poll(() => electron.tray.labels, soon).toContain('Connect: office');
      electron.tray.press('Connect: office');
      await expect.poll(() => electron.tray.tooltip, soon).toBe('Culvert: Connected to office');
      await client.call('addRoute', { profile: 'office', prefix: '10.66.0.0/24', kind: 'include' });
      expect(lab.run('cl', 'ip', 'route', 'show', 'table', '4750')).toContain('10.66.0.0/24');
      await client.call('setMtu', { profile: 'office', choice: { mode: 'fixed', value: 1300 } });
      expect(lab.run('cl', 'ip', '-o', 'link')).toContain('mtu 1300');

      await culvert.daemon.stop('SIGKILL');
      await expect.poll(() => electron.tray.tooltip, soon).toMatch(/not reachable/);
      await culvert.restart();
      await expect.poll(() => electron.tray.tooltip, soon).toBe('Culvert: Connected to office');
      expect(lab.run('cl', 'ping', '-n', '-c', '1', '-W', '2', OFFICE_INSIDE)).toContain('1 received');
      electron.tray.press('Disconnect');
      await expect.poll(() => electron.tray.tooltip, soon).toBe('Culvert: Not connected');
      expect(lab.run('cl', 'ip', 'route', 'show', 'table', '4750')).toBe('');

      // The engine reads from the system which network this is, and hears from the kernel when it is another.
      const home = { kind: 'wired', gateway: '3c:a6:2f:10:0b:0c' } as const;
      const watcher = await connectEngine(socket);
      const networks: Events['network'][] = [];
      watcher.on('network', (network) => networks.push(network));
      await watcher.call('subscribe', { events: ['network'] });
      await watcher.call('setSettings', { autoConnect: { enabled: true, profile: 'office', trusted: [home] } });
      const plugInto = (router: string): void => {
        lab.run('gw', 'ip', 'link', 'set', wire.b, 'address', router);
        lab.run('cl', 'ip', 'neighbour', 'flush', 'all');
        lab.run('cl', 'ip', 'route', 'replace', 'default', 'via', '192.0.2.1');
      };
      await expect.poll(() => networks, soon).toEqual([{ kind: 'offline' }]);
      plugInto(home.gateway);
      await expect.poll(() => networks.at(-1), soon).toEqual(home);
      expect((await watcher.call('status', {})).engine.state).toBe('disconnected');
      lab.run('cl', 'ip', 'route', 'del', 'default');
      plugInto('3c:a6:2f:10:0b:0d');
      await expect.poll(() => electron.tray.tooltip, soon).toBe('Culvert: Connected to office');
      expect(networks.at(-1)).toEqual({ kind: 'wired', gateway: '3c:a6:2f:10:0b:0d' });
      watcher.close();
      shell.supervisor.close();
    } finally {
      await lab.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
