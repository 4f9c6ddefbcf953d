// What a person does with the interface, from the first profile to a wrong secret, whatever shows it: Chromium (app.test.ts)
// or the desktop shell (electron.test.ts). What it claims is compared with the kernel of the namespace. The tests follow one
// another like a day of work, and begin with a page that shows "disconnected".
import { expect, test } from 'vitest';
import type { Scene } from './scene.ts';

export interface Place {
  /** Somebody (the shell) brings a new engine back to what the person wants. */
  readonly restores: boolean;
  /** Its browser can be handed a file of the file system. */
  readonly takesFiles: boolean;
}

export function dayOfWork(scene: () => Scene, { restores, takesFiles }: Place): void {
  const table = (): string => scene().lab.run('cl', 'ip', 'route', 'show', 'table', '4750');

  test('imports a profile by drag and drop', async () => {
    if (takesFiles) await scene().dropFile('office.json', scene().profile());
    else await scene().drop('office.json', scene().profile());
    await scene().press('Store');
    await scene().browser.$('[role="dialog"]').waitForExist({ reverse: true });
    await scene().go('profiles');
    await scene().browser.$('//main//*[normalize-space(text())="office"]').waitForExist();
  });

  test('connects, and the traffic counters rise', async () => {
    await scene().go('connection');
    await scene().press('Connect');
    await scene().shows('connected');
    expect(table()).toContain('10.88.0.0/24');
    const packets = (): Promise<string> => scene().browser.$('.statistics .figure dd.small').getText();
    const before = Number.parseInt(await packets(), 10);
    scene().lab.run('cl', 'ping', '-n', '-c', '20', '-i', '0.01', '-W', '2', '10.88.0.1');
    await scene().browser.waitUntil(async () => Number.parseInt(await packets(), 10) >= before + 20, {
      timeout: 10_000,
    });
  });

  test('adds a split route, which the kernel then has', async () => {
    await scene().go('routes');
    await scene().browser.$('button[aria-label="Add a network that goes through the tunnel"]').click();
    const field = scene().browser.$('[role="dialog"] input[type="text"]');
    await field.waitForDisplayed();
    await field.setValue('10.66.0.0/24');
    await scene().press('Add');
    const way = (address: string): string => scene().lab.run('cl', 'ip', 'route', 'get', address);
    await scene().browser.waitUntil(() => table().includes('10.66.0.0/24'), { timeout: 10_000 });
    expect(way('10.66.0.1')).toContain('dev culvert');
    expect(way('192.0.2.1')).not.toContain('dev culvert');
  });

  test('changes the MTU, which the interface then has', async () => {
    await scene().go('mtu');
    await scene().browser.$('//label[contains(., "Fixed value")]').click();
    const field = scene().browser.$('main form input[type="text"]');
    await field.waitForDisplayed();
    await field.click();
    await scene().browser.keys(['Control', 'a']);
    await scene().browser.keys([...'1300']);
    await scene().press('Apply');
    await scene().browser.waitUntil(() => scene().lab.run('cl', 'ip', '-o', 'link').includes('mtu 1300'), {
      timeout: 10_000,
    });
  });

  test('tests the path', async () => {
    await scene().press('Test the path');
    await scene().browser.$('//button[normalize-space(.)="Test again"]').waitForExist({ timeout: 30_000 });
    expect(await scene().browser.$('main').getText()).toMatch(/Packets of 1,?500 bytes arrive/);
  });

  test('shows and survives the engine’s end and restart', async () => {
    await scene().go('connection');
    await scene().culvert.daemon.stop('SIGKILL');
    await scene().shows('unreachable');
    await scene().culvert.restart();
    if (!restores) {
      await scene().shows('disconnected');
      await scene().press('Connect');
    }
    await scene().shows('connected');
  });

  test('disconnects, and the routes are gone', async () => {
    await scene().press('Disconnect');
    await scene().shows('disconnected');
    expect(table()).toBe('');
  });

  test('says what is wrong when the secret is', async () => {
    const authentication = { method: 'psk', identity: 'alice@example.com', secret: 'not the secret' };
    await scene().go('profiles');
    await scene().drop('office.json', scene().profile({ authentication }));
    await scene().press('Replace');
    await scene().browser.$('[role="dialog"]').waitForExist({ reverse: true });
    await scene().go('connection');
    await scene().press('Connect');
    await scene().shows('failed');
    const told = await scene().browser.$('body').getText();
    expect(told).toContain('Connecting to office failed');
    expect(told).toMatch(/check the pre-shared key/i);
  });
}
