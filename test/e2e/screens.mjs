// Pictures of every page in its states, at three widths, light and dark: build/out/screenshots. Run after `npm run build`:
//   node test/e2e/screens.mjs [--only <name>] [--widths 360,900,1440] [--schemes light,dark] [--language de]
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './browser.mjs';
import { serveFake } from './fake-server.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const out = join(root, 'build/out/screenshots');
const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const only = option('only', '');
const widths = option('widths', '360,900,1440').split(',').map(Number);
const schemes = option('schemes', 'light,dark').split(',');
const language = option('language', 'en');
const HEIGHTS = { 360: 780, 900: 700, 1440: 900 };

const { createFakeEngine, fakeStates, FAKE_ERROR } = await import(join(root, 'build/out/main/ipc/fake.js'));

const COUNTERS = { outPackets: 48211, inPackets: 90112, inAuthFailed: 2, inReplayDuplicate: 14, outTooBig: 3 };

/** Two minutes of traffic that looks like work: a few downloads, some calls. */
function traffic(fake, now) {
  const samples = Array.from({ length: 120 }, (_, i) => {
    const wave = 1.5 + Math.sin(i / 9) + 0.4 * Math.sin(i / 2.3);
    const burst = i % 47 < 9 ? 2_400_000 : 0;
    return {
      time: now - (119 - i) * 1000,
      seconds: 1,
      bytesIn: Math.round(220_000 * wave + burst + 90_000),
      bytesOut: Math.round(60_000 * wave + burst / 14 + 20_000),
      packetsIn: 400,
      packetsOut: 260,
      latency: 18 + 3 * Math.sin(i / 5) + (i % 31 === 0 ? 14 : 0),
      loss: i % 40 === 0 ? 0.01 : 0,
    };
  });
  fake.publish('samples', samples);
  const sum = (key) => samples.reduce((total, sample) => total + sample[key], 0) * 30;
  fake.publish('traffic', {
    bytesIn: sum('bytesIn'),
    bytesOut: sum('bytesOut'),
    packetsIn: COUNTERS.inPackets,
    packetsOut: COUNTERS.outPackets,
    counters: COUNTERS,
    lastInboundAgo: 400,
  });
}

const LOG = [
  ['info', 'session', 'connecting to vpn.example.com (192.0.2.1)'],
  ['debug', 'ike', 'IKE_SA_INIT: 31 proposals offered, aes128gcm16-prfsha256-ecp256 taken'],
  ['info', 'ike', 'authenticated the gateway as vpn.example.com'],
  ['warn', 'net', 'the resolver of this computer could not be changed; names of the office may not resolve'],
  ['info', 'session', 'connected: culvert0, MTU 1414'],
];

/** As the engine words them. */
const MISTAKES = {
  code: 'profile/unknown-key',
  message:
    'The profile has 2 mistakes:\n  /gatway: is not a key of a profile. Did you mean /gateway?\n  /gateway: is missing. Expected a host name or an address. Example: "vpn.example.com"',
  remedy:
    'Correct the file (docs/profile.md describes every key), or ask the administrator who made it, then import it again.',
};

const dropProfile = (browser, text) =>
  browser.run(`(async () => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([${JSON.stringify(text)}], 'team.culvert'));
    for (const type of ['dragenter', 'drop']) window.dispatchEvent(new DragEvent(type, { dataTransfer, cancelable: true }));
    await new Promise((resolve) => setTimeout(resolve, 400));
  })()`);

/** A button by its words. */
const press = (browser, words) =>
  browser.run(`(async () => {
    const found = [...document.querySelectorAll('button')].find((b) => (b.ariaLabel ?? b.textContent).trim() === ${JSON.stringify(words)});
    if (!found) throw new Error(${JSON.stringify(`no button "${words}"`)});
    found.click();
    await new Promise((resolve) => setTimeout(resolve, 400));
  })()`);

/** As a person types it, so that the page hears of it. */
const type = (browser, selector, text) =>
  browser.run(`(async () => {
    const field = document.querySelector(${JSON.stringify(selector)});
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, ${JSON.stringify(text)});
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 400));
  })()`);

const PAGES = {
  profiles: { page: 'profiles', state: 'disconnected' },
  'profiles-empty': { page: 'profiles', state: 'disconnected', profiles: [] },
  'profiles-import': {
    page: 'profiles',
    state: 'disconnected',
    act: (browser) => browser.run(`document.querySelector('[data-act=import] button')?.click()`),
  },
  'profiles-details': {
    page: 'profiles',
    state: 'connected',
    act: (browser) => browser.run(`document.querySelector('details').open = true`),
  },
  'profiles-preview': {
    page: 'profiles',
    state: 'disconnected',
    act: (browser) => dropProfile(browser, '{"name":"office"}'),
  },
  'profiles-mistakes': {
    page: 'profiles',
    state: 'disconnected',
    mistakes: true,
    act: (browser) => dropProfile(browser, '{"gatway":"vpn.example.com"}'),
  },
  routes: { page: 'routes', state: 'connected' },
  'routes-disconnected': { page: 'routes', state: 'disconnected' },
  'routes-add': {
    page: 'routes',
    english: true,
    state: 'connected',
    act: async (browser) => {
      await press(browser, 'Add a network that goes through the tunnel');
      await type(browser, '[role=dialog] input', '10.1.2.3/16');
    },
  },
  'routes-lookup': {
    at: '.route-lookup',
    page: 'routes',
    english: true,
    state: 'connected',
    act: async (browser) => {
      await type(browser, '.route-lookup input', '10.1.2.3');
      await press(browser, 'Look up');
    },
  },
  mtu: { page: 'mtu', state: 'connected' },
  'mtu-disconnected': { page: 'mtu', state: 'disconnected' },
  'mtu-testing': {
    at: '[role=progressbar]',
    page: 'mtu',
    english: true,
    state: 'connected',
    act: async (browser) => {
      await press(browser, 'Test the path');
      fake.advance(300);
    },
  },
  'mtu-tested': {
    at: 'main details',
    page: 'mtu',
    english: true,
    state: 'connected',
    act: async (browser) => {
      await press(browser, 'Test the path');
      fake.advance(5000);
      await browser.settle();
    },
  },
  diagnostics: { page: 'diagnostics', state: 'failed' },
  'diagnostics-connected': { page: 'diagnostics', state: 'connected', log: true },
  settings: { page: 'settings', state: 'disconnected' },
};
const PROMPT = {
  id: 'a',
  kind: 'code',
  text: 'Enter the six digits that your app shows now.',
  username: 'alice@example.com',
  gateway: 'vpn.example.com',
  refused: false,
};
const HYBRID = 'aes256gcm16-prfsha384-ecp256-ke1_mlkem768';
const CONNECTION = {
  ...Object.fromEntries(
    ['disconnected', 'connecting', 'connected', 'reconnecting', 'disconnecting', 'failed'].map((state) => [
      `connection-${state}`,
      { page: 'connection', state },
    ]),
  ),
  'connection-empty': { page: 'connection', state: 'disconnected', profiles: [] },
  'connection-last-error': { page: 'connection', engine: { state: 'disconnected', lastError: FAKE_ERROR } },
  'connection-prompt': {
    page: 'connection',
    engine: (states) => ({ ...states.connecting, prompt: PROMPT }),
  },
  'connection-prompt-refused': {
    page: 'connection',
    engine: (states) => ({ ...states.connecting, prompt: { ...PROMPT, kind: 'password', text: '', refused: true } }),
  },
  'connection-held': { page: 'connection', engine: (states) => ({ ...states.reconnecting, held: true }) },
  'connection-tcp': {
    page: 'connection',
    engine: (states) => ({
      ...states.connected,
      tunnel: { ...states.connected.tunnel, encapsulation: 'tcp', postQuantum: true, ikeProposal: HYBRID },
    }),
  },
  'connection-unreachable': { page: 'connection', state: 'connected', down: true },
};

let fake = createFakeEngine();
const server = await serveFake(() => fake);
const browser = await openBrowser();
mkdirSync(out, { recursive: true });
let shot = 0;
try {
  for (const [name, scene] of Object.entries({ ...CONNECTION, ...PAGES })) {
    if (only && !name.startsWith(only)) continue;
    // Its buttons are found by their English words.
    if (scene.english && language !== 'en') continue;
    const now = Date.now();
    server.setUp(true);
    fake = createFakeEngine({ now, ...(scene.profiles ? { profiles: scene.profiles } : {}) });
    const states = fakeStates(now);
    const engine = typeof scene.engine === 'function' ? scene.engine(states) : scene.engine;
    fake.setState(engine ?? states[scene.state]);
    if (scene.mistakes) fake.fail('preview', MISTAKES);
    await browser.send('Emulation.setLocaleOverride', { locale: language });
    await browser.send('Network.setUserAgentOverride', { userAgent: 'culvert-screens', acceptLanguage: language });
    await browser.go(`${server.url}/?${name}#/${scene.page}`);
    await browser.until(
      `location.search === '?${name}' && document.querySelector('h1') && !document.querySelector('[data-state=starting]')`,
    );
    await browser.settle();
    if (scene.state === 'connected' || scene.state === 'reconnecting') traffic(fake, now);
    if (scene.log) for (const [level, area, text] of LOG) fake.log({ level, area, text });
    if (scene.down) {
      server.setUp(false);
      await browser.until(`document.querySelector('[data-state=unreachable]')`);
    }
    await browser.settle();
    await scene.act?.(browser);
    for (const scheme of schemes)
      for (const width of widths) {
        await browser.look(width, HEIGHTS[width] ?? 800, scheme);
        await browser.settle();
        if (scene.at) await browser.run(`document.querySelector('${scene.at}').scrollIntoView({ block: 'center' })`);
        const wide = await browser.run(
          `document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('main')].some((m) => m.scrollWidth > m.clientWidth)`,
        );
        if (wide) console.error(`${name} at ${width}: wider than the window`);
        writeFileSync(
          join(out, `${name}-${width}-${scheme}${language === 'en' ? '' : `-${language}`}.png`),
          await browser.shoot(),
        );
        shot++;
      }
  }
} finally {
  await browser.close();
  server.close();
}
for (const complaint of new Set(browser.complaints)) console.error(`complaint: ${complaint}`);
console.log(`${shot} pictures in build/out/screenshots`);
