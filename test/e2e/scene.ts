// What a person has: a computer (namespace `cl`) with the engine, `culvert ui` and Debian's Chromium, driven by WebdriverIO;
// and what the company has: the embedded gateway (namespace `gw`). Everything is real; nothing leaves the two namespaces.
//
//   test ─unix socket─ door ─ chromedriver ─ chromium ─ culvert ui ─ engine      cl 192.0.2.2 ──── 192.0.2.1 gw
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { remote } from 'webdriverio';
import { Culvert, culvertMissing } from '../live/culvert.ts';
import { cannotRunLive, Lab, type Running } from '../live/lab.ts';
import { officeNetwork, officeProfile, startOffice } from '../live/office.ts';

const CHROMIUM = '/usr/bin/chromium';
const CHROMEDRIVER = '/usr/bin/chromedriver';
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--lang=en'],
];
const built = (path: string): string => fileURLToPath(new URL(`../../build/out/${path}`, import.meta.url));
const DOOR = fileURLToPath(new URL('./door.mjs', import.meta.url));
const DRIVER_PORT = 9515;

export const missingForInterface = [
  cannotRunLive(),
  culvertMissing('gateway/run.js'),
  existsSync(built('renderer/index.html')) ? undefined : 'the interface is not built (npm run build)',
];

export const missing = [
  existsSync(CHROMIUM) && existsSync(CHROMEDRIVER)
    ? undefined
    : 'browser tests need Debian’s chromium and chromium-driver',
  ...missingForInterface,
];

export type Browser = Awaited<ReturnType<typeof remote>>;

export class Scene {
  readonly lab = new Lab();
  culvert!: Culvert;
  gateway!: Running;
  browser!: Browser;
  /** The interface's address, with its token. */
  url = '';
  private bridge: Server | undefined;

  /** `desktop`: opens the interface in another way than in Chromium, for the engine at this socket. */
  static async open(desktop?: (socket: string, folder: string) => Promise<Browser>): Promise<Scene> {
    const scene = new Scene();
    try {
      await scene.begin(desktop);
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** In Chromium, with the profile imported, and connected. */
  static async connected(): Promise<Scene> {
    const scene = await Scene.open();
    try {
      await scene.browser.url(scene.url);
      await scene.shows('disconnected');
      await scene.drop('office.json', scene.profile());
      await scene.press('Store');
      await scene.browser.$('[role="dialog"]').waitForExist({ reverse: true });
      await scene.go('connection');
      await scene.press('Connect');
      await scene.shows('connected');
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  private async begin(desktop?: (socket: string, folder: string) => Promise<Browser>): Promise<void> {
    const { lab } = this;
    officeNetwork(lab);
    await this.startGateway();
    this.culvert = await Culvert.start(lab, 'cl');
    const socket = join(lab.directory, 'cl.sock');
    if (desktop) {
      this.browser = await desktop(socket, join(lab.directory, 'desktop'));
      return;
    }
    const ui = lab.start('cl', [
      ...[process.execPath, built('main/cli/culvert.js'), 'ui', '--no-open'],
      ...['--socket', socket],
    ]);
    [this.url] = await ui.saw(/http:\/\/127\.0\.0\.1:\d+\/\S+/);
    await this.openBrowser();
  }

  async startGateway(): Promise<void> {
    this.gateway = await startOffice(this.lab);
  }

  private async openBrowser(): Promise<void> {
    const { lab } = this;
    const driver = lab.start('cl', [CHROMEDRIVER, `--port=${DRIVER_PORT}`]);
    await driver.saw(/started successfully/);
    const path = join(lab.directory, 'door.sock');
    await lab.start('cl', [process.execPath, DOOR, path, String(DRIVER_PORT)]).saw(/open/);
    const bridge = createServer((from) => {
      const to = dial(path);
      from.pipe(to).pipe(from);
      from.on('error', () => to.destroy());
      to.on('error', () => from.destroy());
    });
    this.bridge = bridge;
    const port = await new Promise<number>((resolve) => {
      bridge.listen(0, '127.0.0.1', () => {
        const address = bridge.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    this.browser = await remote({
      hostname: '127.0.0.1',
      port,
      logLevel: 'error',
      connectionRetryCount: 0,
      waitforTimeout: 15_000,
      capabilities: {
        browserName: 'chrome',
        // Classic WebDriver: BiDi would open a WebSocket to an address inside the namespace.
        'wdio:enforceWebDriverClassic': true,
        'goog:chromeOptions': {
          binary: CHROMIUM,
          args: [...FLAGS, `--user-data-dir=${join(lab.directory, 'chromium')}`, '--window-size=1440,900'],
        },
      },
    });
  }

  profile(changes: Record<string, unknown> = {}): string {
    return JSON.stringify(officeProfile({ timing: { livenessSeconds: 1 }, ...changes }));
  }

  /** The address without its token: what the page keeps after the first load. */
  async go(page: string): Promise<void> {
    await this.browser.execute('location.hash = arguments[0]', `#/${page}`);
    await this.browser.$('h1').waitForDisplayed();
  }

  /** The state that the connection page shows. */
  async shows(state: string, milliseconds = 20_000): Promise<void> {
    await this.browser.$(`.state-card[data-state="${state}"]`).waitForExist({ timeout: milliseconds });
  }

  async press(text: string): Promise<void> {
    // In the dialog, where one is open: what lies behind it cannot be pressed.
    const named = `button[normalize-space(.)="${text}" and not(@disabled)]`;
    const dialog = await this.browser.$('[role="dialog"], [role="alertdialog"]').isExisting();
    const button = this.browser.$(dialog ? `//*[@role="dialog" or @role="alertdialog"]//${named}` : `//${named}`);
    await button.waitForClickable();
    await button.click();
  }

  /** A file of the file system dropped onto the window, by the browser itself. Chromium only. */
  async dropFile(name: string, content: string): Promise<void> {
    const file = join(this.lab.directory, name);
    writeFileSync(file, content);
    const data = { items: [], files: [file], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'])
      await this.browser.sendCommandAndGetResult('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
  }

  /** A file dropped onto the window, as the browser tells the page of it. */
  async drop(name: string, content: string): Promise<void> {
    await this.browser.execute(
      `const data = new DataTransfer();
      data.items.add(new File([arguments[1]], arguments[0], { type: 'application/json' }));
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));`,
      name,
      content,
    );
  }

  /** What has the keyboard's focus, by its name. */
  async focused(): Promise<string> {
    return String(
      await this.browser.execute(`const one = document.activeElement;
        const by = one.getAttribute('aria-labelledby');
        const label = by ? by.split(' ').map((id) => document.getElementById(id)?.innerText ?? '').join(' ') : '';
        const own = one.labels?.[0]?.innerText ?? one.innerText;
        return (one.getAttribute('aria-label') ?? (label || own)).split('\\n')[0].trim();`),
    );
  }

  /** Presses Tab until what is named so has the focus. */
  async tabTo(name: string): Promise<void> {
    const passed: string[] = [];
    for (let i = 0; i < 60; i++) {
      await this.browser.keys('Tab');
      const now = await this.focused();
      if (now === name) return;
      passed.push(now.slice(0, 40));
    }
    throw new Error(`Tab does not come to "${name}"; it came to: ${passed.join(' | ')}`);
  }

  async close(): Promise<void> {
    // A browser that is gone already is as good; the laboratory ends what is left.
    await this.browser?.deleteSession().catch(() => {});
    this.bridge?.close();
    await this.lab.close();
  }
}
