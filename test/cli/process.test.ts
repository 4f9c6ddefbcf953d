// The compiled command line as processes: exit codes, signals, pipes, permissions, and the engine in the background. What
// starts a real engine does so as root in a network namespace of its own; without root it is left out, and says so.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Status } from '../../main/ipc/contract.ts';
import { connected, openScene, profileText, type Scene } from '../daemon/fakes.ts';
import { live } from '../live/live.ts';
import { closedToOthers, NOT_ROOT } from '../machine.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(root, 'build', 'out', 'main', 'cli', 'culvert.js');
const engineMissing = NOT_ROOT ?? (existsSync('/usr/bin/unshare') ? undefined : 'there is no unshare');
const NOBODY = 65534;

beforeAll(() => {
  // Nothing to do where `npm test` has built it already.
  execFileSync(process.execPath, [join(root, 'build', 'build.mjs')], { cwd: root, stdio: 'ignore' });
}, 120_000);

let directory: string;
let scene: Scene | undefined;
let children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-process-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await scene?.close();
  scene = undefined;
  rmSync(directory, { recursive: true, force: true });
});

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  text(): string;
}

function start(command: readonly string[], options: { uid?: number } = {}): Running {
  const [program, ...rest] = command;
  const child = spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', FORCE_COLOR: '1' },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  children.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { child, finished, text: () => out + err };
}
const culvert = (...argv: string[]): Promise<Finished> => start([process.execPath, CLI, ...argv]).finished;

describe('the command line, compiled', () => {
  it('ends with the codes of docs/cli.md', async () => {
    const none = join(directory, 'none.sock');
    expect((await culvert('status', '--socket', none)).code).toBe(3);
    expect((await culvert('nonsense')).code).toBe(2);
    expect((await culvert('up', join(directory, 'none.json'))).code).toBe(5);
    const version = await culvert('--version');
    expect(version).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
  });

  it('connects, shows and disconnects, without colours', async () => {
    scene = await openScene({ script: connected });
    const file = join(directory, 'office.json');
    writeFileSync(file, profileText('office'), { mode: 0o600 });
    const socket = ['--socket', scene.socketPath];
    const up = await culvert('up', ...socket, file);
    expect(up).toMatchObject({ code: 0, err: '' });
    const status = await culvert('status', ...socket);
    expect(status.out).toContain('culvert0: 10.88.0.2/24');
    for (const { out, err } of [up, status]) expect(out + err).not.toContain('\u001b');
    const json = await culvert('status', ...socket, '--json');
    expect((JSON.parse(json.out) as Status).engine.state).toBe('connected');
    expect((await culvert('down', ...socket)).out).toBe('Disconnected from "office".\n');
  });

  it('ends the connection on Ctrl-C', async () => {
    scene = await openScene();
    const file = join(directory, 'office.json');
    writeFileSync(file, profileText('office'), { mode: 0o600 });
    const up = start([process.execPath, CLI, 'up', '--socket', scene.socketPath, file]);
    await expect.poll(() => up.text(), { timeout: 10_000 }).toContain('Looking up the gateway');
    up.child.kill('SIGINT');
    expect((await up.finished).code).toBe(130);
    expect(scene.session.state.state).toBe('disconnected');
  });

  it('ends well when nobody reads on: culvert logs -f | head', async () => {
    scene = await openScene();
    for (let i = 0; i < 200; i++) scene.log.add({ level: 'info', area: 'test', text: `entry ${i}` });
    const shell = start([
      'sh',
      '-c',
      `"${process.execPath}" "${CLI}" logs -f --socket "${scene.socketPath}" | head -n 3`,
    ]);
    await expect.poll(() => shell.text(), { timeout: 10_000 }).toContain('entry');
    // The next lines meet the closed pipe.
    const talking = setInterval(() => scene?.log.add({ level: 'info', area: 'test', text: 'more' }), 20);
    const { err, out } = await shell.finished;
    clearInterval(talking);
    expect(err).toBe('');
    expect(out.trim().split('\n')).toHaveLength(3);
  });

  it('tells a user outside the group how to join it', async ({ skip }) => {
    const missing = NOT_ROOT ?? closedToOthers(CLI);
    if (missing) skip(missing);
    scene = await openScene();
    // Everybody may reach the socket's directory; the socket itself says no.
    chmodSync(scene.directory, 0o755);
    const { code, err } = await start([process.execPath, CLI, 'status', '--socket', scene.socketPath], { uid: NOBODY })
      .finished;
    expect(err).toMatch(/You may not speak to the engine[\s\S]*usermod -aG culvert/);
    expect(code).toBe(4);
    // With the group's rights it may.
    chmodSync(scene.socketPath, 0o660);
    chownSync(scene.socketPath, 0, NOBODY);
    const allowed = start([process.execPath, CLI, 'status', '--socket', scene.socketPath], { uid: NOBODY });
    expect((await allowed.finished).code).toBe(0);
  });
});

live('a real engine (as root, in a network namespace)', [engineMissing], () => {
  const paths = () => ['--socket', join(directory, 'run', 'engine.sock'), '--profiles', join(directory, 'profiles')];
  const daemon = (...more: string[]): string[] => [process.execPath, CLI, 'daemon', ...paths(), ...more];
  const socket = () => ['--socket', join(directory, 'run', 'engine.sock')];

  it('starts in the foreground, refuses a second, and ends on SIGTERM', async () => {
    const engine = start(['unshare', '-n', ...daemon('--foreground')]);
    await expect.poll(() => engine.text(), { timeout: 15_000 }).toContain('ready');
    expect((statSync(join(directory, 'run')).mode & 0o777).toString(8)).toBe('750');
    expect((statSync(join(directory, 'run', 'engine.sock')).mode & 0o117).toString(8)).toBe('0');
    expect((await culvert('status', ...socket())).out).toBe('Not connected.\n');

    const second = await start(['unshare', '-n', ...daemon('--foreground')]).finished;
    expect(second.code).toBe(7);
    expect(second.err).toMatch(/running already: it listens on/);

    engine.child.kill('SIGTERM');
    expect((await engine.finished).code).toBe(0);
    expect(existsSync(join(directory, 'run', 'engine.sock'))).toBe(false);
  }, 60_000);

  it('starts again after kill -9', async () => {
    const engine = start(['unshare', '-n', ...daemon('--foreground')]);
    await expect.poll(() => engine.text(), { timeout: 15_000 }).toContain('ready');
    engine.child.kill('SIGKILL');
    await engine.finished;
    expect((await culvert('status', ...socket())).code).toBe(3);
    const next = start(['unshare', '-n', ...daemon('--foreground', '--json')]);
    await expect.poll(() => next.text(), { timeout: 15_000 }).toMatch(/"text":"ready/);
    expect((await culvert('status', ...socket())).code).toBe(0);
    next.child.kill('SIGINT');
    expect((await next.finished).code).toBe(0);
  }, 60_000);

  it('goes on in the background without --foreground', async () => {
    const { code, out, err } = await start(['unshare', '-n', ...daemon()]).finished;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const pid = Number(/process (\d+)/.exec(out)?.[1]);
    try {
      const status = await culvert('status', '--json', ...socket());
      expect((JSON.parse(status.out) as Status).pid).toBe(pid);
      // Its standard error is closed by now; logging must not end it.
      expect((await culvert('up', 'nothing', ...socket())).code).toBe(5);
      expect((await culvert('logs', ...socket())).out).toContain('ready');
      const second = await start(['unshare', '-n', ...daemon()]).finished;
      expect(second.code).toBe(7);
      expect(second.err).toMatch(/running already/);
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
    expect(existsSync(join(directory, 'run', 'engine.sock'))).toBe(false);
  }, 60_000);

  it('says what is in its way', async () => {
    mkdirSync(join(directory, 'run'));
    writeFileSync(join(directory, 'run', 'engine.sock'), 'not a socket');
    for (const mode of [[], ['--foreground']]) {
      const { code, err } = await start(['unshare', '-n', ...daemon(...mode)]).finished;
      expect(code).toBe(1);
      expect(err).toMatch(/exists and is not a socket/);
    }
  }, 60_000);
});
