// A stage for the interface: the built pages in Chromium, before the contract's in-memory engine, in any of the scenes of
// scenes.mjs, language, width, theme. What takes pictures, looks for barriers and measures begins here.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './browser.mjs';
import { serveFake } from './fake-server.mjs';
import { SCENES } from './scenes.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const fakes = () => import(join(root, 'build/out/main/ipc/fake.js'));

/** What the preload script gives the page in the desktop shell, over the WebSocket that a browser would use. */
const BRIDGE = `window.culvert = {
  open(events) {
    const socket = new WebSocket('ws://' + location.host + '/engine', 'culvert');
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) => events.heard(data);
    socket.onclose = () => events.closed({ code: 'ipc/disconnected', message: 'The engine is gone.', remedy: 'Start it.' });
    return {
      send: (message) => socket.readyState === 1 && (socket.send(message), true),
      close: () => socket.close(),
    };
  },
};`;

export async function openStage() {
  const { createFakeEngine, fakeStates, FAKE_ERROR, FAKE_PROFILES } = await fakes();
  let fake = createFakeEngine();
  const server = await serveFake(() => fake);
  const browser = await openBrowser();
  let bridge;

  /** What a scene may use to bring itself about. */
  const hands = {
    browser,
    server,
    error: FAKE_ERROR,
    profiles: FAKE_PROFILES,
    get fake() {
      return fake;
    },
    /** As a person presses it. */
    async press(selector) {
      await browser.until(`document.querySelector(${JSON.stringify(selector)})`);
      await browser.run(`document.querySelector(${JSON.stringify(selector)}).click()`);
      await browser.settle();
    },
    /** As a person types it, so that the page hears of it. */
    async type(selector, text) {
      await browser.until(`document.querySelector(${JSON.stringify(selector)})`);
      await browser.run(`(() => {
        const field = document.querySelector(${JSON.stringify(selector)});
        const of = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
        Object.getOwnPropertyDescriptor(of.prototype, 'value').set.call(field, ${JSON.stringify(text)});
        field.dispatchEvent(new Event('input', { bubbles: true }));
      })()`);
      await browser.settle();
    },
    sees: (selector) => browser.until(`document.querySelector(${JSON.stringify(selector)})`),
    /** A file over the window, and dropped where `events` has it. */
    drag: (events, text, name = 'team.culvert') =>
      browser.run(`(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}));
        for (const type of ${JSON.stringify(events)})
          window.dispatchEvent(new DragEvent(type, { dataTransfer, cancelable: true }));
      })()`),
  };

  return {
    ...hands,
    get fake() {
      return fake;
    },
    /** Draws a scene. `language`: as a browser asks for it. `pseudo`: see renderer/i18n/pseudo.ts.
     * `until`: a promise in the page, awaited as soon as it loads; its value is `usable` then. */
    async play(name, { language = 'en', pseudo, until } = {}) {
      const scene = SCENES[name];
      const now = Date.now();
      server.setUp(scene.up ?? true);
      const { profiles, role } = scene;
      const chosen = typeof profiles === 'function' ? profiles(FAKE_PROFILES) : profiles;
      fake = createFakeEngine({ now, ...(chosen ? { profiles: chosen } : {}), ...(role ? { role } : {}) });
      const states = fakeStates(now);
      fake.setState(scene.engine?.(states, now, FAKE_ERROR) ?? states[scene.state ?? 'disconnected']);
      scene.before?.(fake, FAKE_ERROR);
      if (bridge) await browser.send('Page.removeScriptToEvaluateOnNewDocument', { identifier: bridge });
      bridge = undefined;
      if (scene.shell) {
        const { identifier } = await browser.send('Page.addScriptToEvaluateOnNewDocument', { source: BRIDGE });
        bridge = identifier;
      }
      // No scene knows what was picked or set in another.
      await browser.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'local_storage' });
      await browser.send('Emulation.setLocaleOverride', { locale: language });
      await browser.send('Network.setUserAgentOverride', { userAgent: 'culvert-stage', acceptLanguage: language });
      const query = `?scene=${name}${pseudo ? `&pseudo=${pseudo}` : ''}&at=${now}`;
      await browser.go(`${server.url}/${query}#/${scene.page}`);
      if (until) this.usable = await browser.run(until);
      await browser.until(
        `location.search === ${JSON.stringify(query)} && document.querySelector('h1')${scene.starting ? '' : ` && !document.querySelector('[data-state=starting]')`}`,
      );
      await browser.settle();
      if (scene.traffic) scene.traffic(fake, now);
      await browser.settle();
      await scene.act?.(hands);
      await browser.settle();
      await this.show(name);
    },
    /** Brings into view what the scene is about: again after the window has another size. */
    async show(name) {
      const { at } = SCENES[name];
      if (at) await browser.run(`document.querySelector(${JSON.stringify(at)}).scrollIntoView({ block: 'center' })`);
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

export { SCENES };
