// Debian's Chromium without a screen, driven over its debugging protocol: enough to open a page, press, look and shoot.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--remote-debugging-port=0',
];

const KEYS = {
  Tab: { number: 9 },
  BackTab: { code: 'Tab', number: 9, shift: true },
  Enter: { number: 13, text: '\r' },
  Escape: { number: 27 },
  ' ': { code: 'Space', number: 32, text: ' ' },
  ArrowLeft: { number: 37 },
  ArrowUp: { number: 38 },
  ArrowRight: { number: 39 },
  ArrowDown: { number: 40 },
};

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'culvert-chromium-'));
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const close = async () => {
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  const address = await new Promise((resolve, reject) => {
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(told);
      if (found) resolve(found[1]);
    });
    child.once('exit', () => reject(new Error(`chromium ended: ${told}`)));
    child.once('error', reject);
  });
  const targets = await (await fetch(`http://${new URL(address).host}/json`)).json();
  const page = await speak(targets.find(({ type }) => type === 'page').webSocketDebuggerUrl);
  return { ...page, close };
}

async function speak(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map();
  /** What the page complained of: exceptions, errors on the console, violations of the policy. */
  const complaints = [];
  let next = 1;
  socket.on('message', (bytes) => {
    const { id, result, error, method, params } = JSON.parse(bytes.toString());
    if (id) {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error.message));
      else resolve(result);
    } else if (method === 'Runtime.exceptionThrown') complaints.push(params.exceptionDetails.exception?.description);
    else if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
      complaints.push(params.args.map(({ value, description }) => value ?? description).join(' '));
    else if (method === 'Log.entryAdded' && params.entry.level === 'error') complaints.push(params.entry.text);
  });
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`);
  const run = async (expression) => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    complaints,
    send,
    run,
    go: (address) => send('Page.navigate', { url: address }),
    /** `zoom`: as a browser's zoom does it; `width` and `height` are those of the window. */
    look: (width, height, { scheme = 'light', forced = false, still = false, zoom = 1 } = {}) =>
      Promise.all([
        send('Emulation.setDeviceMetricsOverride', {
          width: Math.round(width / zoom),
          height: Math.round(height / zoom),
          deviceScaleFactor: zoom,
          mobile: false,
        }),
        send('Emulation.setEmulatedMedia', {
          features: [
            { name: 'prefers-color-scheme', value: scheme },
            { name: 'forced-colors', value: forced ? 'active' : 'none' },
            { name: 'prefers-reduced-motion', value: still ? 'reduce' : 'no-preference' },
          ],
        }),
      ]),
    /** Pressed and released, as a keyboard does it. */
    async key(name) {
      const { code = name, number, text, shift } = KEYS[name];
      const event = { key: shift ? 'Tab' : name, code, windowsVirtualKeyCode: number, modifiers: shift ? 8 : 0 };
      await send('Input.dispatchKeyEvent', {
        type: text ? 'keyDown' : 'rawKeyDown',
        ...event,
        ...(text ? { text } : {}),
      });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
    },
    /** Two frames, so that what was asked for is drawn. */
    settle: () =>
      run('new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 20))))'),
    /** Until `expression` holds; rejects after five seconds. */
    until: (expression) =>
      run(`new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(${JSON.stringify(`never: ${expression}`)})), 5000);
        const look = () => (${expression}) ? (clearTimeout(late), resolve(true)) : requestAnimationFrame(look);
        look();
      })`),
    async shoot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data, 'base64');
    },
  };
}
