// The engine of the packaged desktop app (test/electron/stand-in.ts), run by the Node that was packaged with it, with an empty
// environment, as the system service runs it: it connects, so its workers, its packet core and koffi are found where they lie.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectEngine } from '../../main/ipc/client.ts';
import { notBuilt, packageApp } from '../electron/stand-in.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import { OFFICE_INSIDE, officeNetwork, officeProfile, startOffice } from './office.ts';

live('the packaged engine', [cannotRunLive(), notBuilt, culvertMissing('gateway/run.js')], () => {
  test('connects', async () => {
    const lab = new Lab();
    const folder = mkdtempSync(join(tmpdir(), 'culvert-package-'));
    try {
      const { resources } = await packageApp(folder, 'linux');
      const engine = join(resources, 'engine');
      officeNetwork(lab);
      await startOffice(lab);
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
      await client.call('import', { text: JSON.stringify(officeProfile()), replace: false });
      await client.call('connect', { profile: 'office' });
      expect(lab.run('cl', 'ping', '-n', '-c', '1', '-W', '2', OFFICE_INSIDE)).toContain('1 received');
      await client.call('disconnect', {});
      client.close();
    } finally {
      await lab.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
