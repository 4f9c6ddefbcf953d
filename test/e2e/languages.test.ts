// No English on a page in another language: every page in its states, with warnings, refusals and results that the real engine makes.
// What may be English: the log, the engine's own words behind a disclosure that is closed, and what the gateway says.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { Message } from '../../main/words/message.ts';
import { en } from '../../renderer/i18n/en/index.ts';
import { live } from '../live/live.ts';
import { missing, Scene } from './scene.ts';

const LANGUAGES = [
  ['de', 'de', 'Getrennt'],
  ['fr', 'fr', 'Déconnecté'],
  ['zh-Hans', 'zh-Hans', '已断开'],
] as const;

/** What is between the placeholders of every English sentence, where it is long enough to be English only. */
const ENGLISH = Object.values<Message>(en)
  .flatMap((message) => (typeof message === 'string' ? [message] : Object.values(message)))
  .flatMap((text) => text.split(/\{\w+\}/))
  .map((part) => part.trim().toLowerCase())
  .filter((part) => part.length >= 10 && part.split(' ').length >= 3);

/** Everything goes inside and no name server is known; the MTU is too large; an exclusion is for nothing. */
const ODD = { routes: { include: ['0.0.0.0/0'], exclude: ['10.5.0.0/16'] }, mtu: { value: 1480 } };
/** As above, and what only an import says. */
const WEAK = { ...ODD, name: 'weak', proposals: { policy: 'legacy', ike: ['aes128-sha1-modp1024'] } };
const WRONG = { gatway: {}, gateway: { host: 7 }, routes: { include: ['10.0.0.1/8'] } };

live('the interface in other languages', missing, () => {
  let scene: Scene;
  let engine: EngineClient;
  beforeAll(async () => {
    scene = await Scene.open();
    engine = await connectEngine(join(scene.lab.directory, 'cl.sock'));
    await engine.call('import', { text: scene.profile(ODD), replace: true });
    await scene.browser.url(scene.url);
    await scene.browser.$('h1').waitForDisplayed();
  });
  afterAll(async () => {
    engine?.close();
    await scene?.close();
  });

  /** As a person sees it: what is hidden or closed is not in it. */
  const words = async (): Promise<string> =>
    String(
      await scene.browser.execute(`
        const log = document.querySelector('.log');
        if (log) log.hidden = true;
        const text = document.body.innerText;
        if (log) log.hidden = false;
        return text;`),
    );
  const leftovers = async (): Promise<readonly string[]> => {
    const marked = await scene.browser.execute(`
      return JSON.stringify([...document.querySelectorAll('body [lang=en]')]
        .filter((one) => one.checkVisibility() && !one.closest('.log, details:not([open]), table.problem-compared'))
        .map((one) => one.innerText));`);
    const seen = (await words()).toLowerCase();
    return [...(JSON.parse(String(marked)) as string[]), ...ENGLISH.filter((part) => seen.includes(part))];
  };
  const closeDialog = async (): Promise<void> => {
    await scene.browser.keys(['Escape']);
    await scene.browser.$('[role="dialog"]').waitForExist({ reverse: true });
  };

  test('English is found where it is', async () => {
    await engine.call('setSettings', { language: 'en' });
    await scene.go('connection');
    await scene.shows('disconnected');
    expect(await leftovers()).toContain('traffic goes its usual way, not through a tunnel.');
  });

  describe.each(LANGUAGES)('%s', (language, tag, disconnected) => {
    const look = async (): Promise<void> => expect(await leftovers()).toEqual([]);

    test('disconnected, and every page then', async () => {
      await engine.call('setSettings', { language });
      await scene.browser.$(`html[lang="${tag}"]`).waitForExist();
      await scene.go('connection');
      await scene.shows('disconnected');
      expect(await words()).toContain(disconnected);
      for (const page of ['connection', 'profiles', 'routes', 'mtu', 'diagnostics', 'settings']) {
        await scene.go(page);
        if (page === 'diagnostics') await scene.browser.$('[data-check=clock]').waitForExist();
        await look();
      }
    });

    test('a profile with mistakes, and one that is odd', async () => {
      await scene.go('profiles');
      await scene.drop('wrong.json', scene.profile(WRONG));
      await scene.browser.$('[role="dialog"] .problem-lines').waitForExist();
      expect(await words()).toContain('/gatway');
      await look();
      await closeDialog();
      await scene.drop('weak.json', scene.profile(WEAK));
      await scene.browser.$('[role="dialog"] .notice[data-tone=warn] li').waitForExist();
      expect(await words()).toContain('MODP-1024');
      await look();
      await closeDialog();
    });

    test('connected with warnings; routes judged and looked up; the path tested', async () => {
      await engine.call('connect', { profile: 'office' });
      await scene.go('connection');
      await scene.shows('connected');
      expect(await words()).toContain('1480');
      await look();
      await scene.go('routes');
      await scene.browser.$('.route-lookup input').setValue('10.5.1.1');
      await scene.browser.keys(['Enter']);
      await scene.browser.$('main [data-way=direct]').waitForExist();
      await look();
      await engine.call('pathTest', {});
      await scene.go('mtu');
      await scene.browser.$('main details table').waitForExist();
      await look();
      await scene.go('diagnostics');
      await scene.browser.$('[data-check=mtu-black-hole]').waitForExist();
      expect(await words()).toContain('1480');
      await look();
      await engine.call('disconnect', {});
    });

    test('refused', async () => {
      const authentication = { method: 'psk', identity: 'alice@example.com', secret: 'not the secret at all' };
      await engine.call('import', { text: scene.profile({ name: 'stranger', authentication }), replace: true });
      await expect(engine.call('connect', { profile: 'stranger' })).rejects.toThrow();
      await scene.go('connection');
      await scene.shows('failed');
      await look();
      await scene.go('diagnostics');
      await scene.browser.$('[data-check=connection]').waitForExist();
      await look();
      await engine.call('disconnect', {});
    });
  });
});
