// `npm run demo` as a person types it: as root with real adapters, and as somebody without any privilege; how it ends, and
// what it leaves.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { closedToOthers } from '../machine.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';

const DEMO = fileURLToPath(new URL('../../build/demo.mjs', import.meta.url));
const NOBODY = 65534;

interface Run {
  readonly pid: number;
  readonly status: number | null;
  readonly output: string;
}

/** Runs the demo; `at` sends the signal as soon as the output has the pattern. */
function demo(
  args: readonly string[],
  more: { readonly user?: number; readonly at?: RegExp; readonly signal?: NodeJS.Signals; readonly path?: string } = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [DEMO, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(more.user === undefined ? {} : { uid: more.user, gid: more.user }),
      ...(more.path === undefined ? {} : { env: { ...process.env, PATH: more.path } }),
    });
    let output = '';
    let signalled = false;
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
      if (more.at && !signalled && more.at.test(output)) {
        signalled = true;
        child.kill(more.signal ?? 'SIGINT');
      }
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (status) => resolve({ pid: child.pid!, status, output }));
  });
}

function namespaces(): string {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
}

function expectNothingLeft(run: Run): void {
  expect(namespaces()).not.toContain(`culvert-demo-${run.pid}-`);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('culvert-demo-'))).toEqual([]);
}

const missing = [cannotRunLive(), existsSync(DEMO) ? undefined : 'the demo is missing'];

live('npm run demo, as root', missing, () => {
  test.each([
    ['gre-tunnel', 'aes128gcm16', 'UDP (RFC 3948)'],
    ['gre-transport', 'chacha20poly1305', 'raw ESP'],
    ['esp-tunnel', 'aes256gcm16', 'UDP (RFC 3948)'],
  ])('%s with %s: everything works, nothing is left', async (shape, cipher, carried) => {
    const run = await demo(['--shape', shape, '--cipher', cipher, '--seconds', '1']);
    expect(run.output).toContain('This page comes from the far side of the tunnel.');
    expect(run.output).toContain(carried);
    expect(run.output).toContain(`ESP, ${cipher}-esn`);
    expect(run.output).toContain('20 of 20 answered');
    expect(run.output.match(/SHA-256 equal at both ends/g)).toHaveLength(2);
    expect(run.status, run.output).toBe(0);
    expectNothingLeft(run);
  });

  test('interrupted in the middle it takes everything down', async () => {
    const run = await demo([], { at: /4\. http/ });
    expect(run.output).toContain('SIGINT: taking everything down');
    expect(run.status, run.output).toBe(130);
    expectNothingLeft(run);
  });

  test('killed in the middle, the next one clears what it left', async () => {
    const killed = await demo([], { at: /4\. http/, signal: 'SIGKILL' });
    expect(namespaces()).toContain(`culvert-demo-${killed.pid}-gw`);
    const next = await demo(['--seconds', '1']);
    expect(next.output).toContain(`Removed culvert-demo-${killed.pid}-gw`);
    expect(next.status, next.output).toBe(0);
    expect(namespaces()).not.toContain(`culvert-demo-${killed.pid}-`);
    expectNothingLeft(next);
  });
});

live('npm run demo, without privilege', missing, () => {
  test('as nobody it says why it runs over loopback, and works', async ({ skip }) => {
    const closed = closedToOthers(DEMO);
    if (closed) skip(closed);
    const run = await demo(['--seconds', '1'], { user: NOBODY });
    expect(run.output).toContain('Running over loopback, with adapters in memory: we are not root.');
    expect(run.output).toContain('This page comes from the far side of the tunnel.');
    expect(run.status, run.output).toBe(0);
  });

  test('as root without iproute2 too', async () => {
    const run = await demo(['--seconds', '1'], { path: '/nonexistent' });
    expect(run.output).toContain('the program "ip" (package iproute2) is not installed');
    expect(run.status, run.output).toBe(0);
  });

  test('a mistyped option is answered with the usage', async () => {
    const run = await demo(['--shpe', 'gre-tunnel']);
    expect(run.status).toBe(2);
    expect(run.output).toContain('usage: npm run demo');
  });
});
