// Every command against a daemon on a real socket: what it prints, where, and its exit code.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exit } from '../../main/cli/exit.ts';
import type { CliIo } from '../../main/cli/io.ts';
import { type DaemonArguments, runProgram } from '../../main/cli/program.ts';
import { ui } from '../../main/cli/ui.ts';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import type { LogEntry, Status } from '../../main/ipc/contract.ts';
import {
  connected,
  type FakeSession,
  failed,
  openScene,
  profileText,
  REFUSED,
  type Scene,
  type SceneOptions,
  SECRET,
} from '../daemon/fakes.ts';

let files: string;
let scene: Scene | undefined;
beforeEach(() => {
  files = mkdtempSync(join(tmpdir(), 'culvert-cli-'));
});
afterEach(async () => {
  await scene?.close();
  scene = undefined;
  rmSync(files, { recursive: true, force: true });
});

interface Run {
  readonly out: string[];
  readonly err: string[];
  readonly code: Promise<number | undefined>;
  interrupt(): void;
}

/** Begins a command; `code` resolves when it ends. */
function begin(
  argv: readonly string[],
  options: {
    isTerminal?: boolean;
    daemon?: (given: DaemonArguments) => void;
    connect?: CliIo['connect'];
    askSecret?: CliIo['askSecret'];
  } = {},
): Run {
  const out: string[] = [];
  const err: string[] = [];
  const interrupt = new AbortController();
  const io: CliIo = {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    isTerminal: options.isTerminal ?? false,
    now: () => 1_700_000_090_000,
    connect: options.connect ?? connectEngine,
    ...(options.askSecret ? { askSecret: options.askSecret } : {}),
    interrupted: interrupt.signal,
  };
  const code = runProgram(argv, {
    io,
    version: '1.2.3',
    environment: { CULVERT_SOCKET: scene?.socketPath ?? join(files, 'nobody.sock') },
    daemon: async (given) => {
      options.daemon?.(given);
      return undefined;
    },
  });
  return { out, err, code, interrupt: () => interrupt.abort() };
}

async function run(
  ...argv: string[]
): Promise<{ readonly code: number | undefined; readonly out: string; readonly err: string }> {
  const { out, err, code } = begin(argv);
  return { code: await code, out: out.join('\n'), err: err.join('\n') };
}

async function open(options: SceneOptions = {}): Promise<Scene> {
  scene = await openScene(options);
  return scene;
}

function profileFile(text: string, name = 'office.json', mode = 0o600): string {
  const path = join(files, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('without an engine', () => {
  it.each([['status'], ['down'], ['up', 'office'], ['list'], ['remove', 'office'], ['logs', '-f']])(
    '%s says how to start it',
    async (...argv) => {
      const { code, out, err } = await run(...argv);
      expect(code).toBe(Exit.NOT_RUNNING);
      expect(out).toBe('');
      expect(err).toMatch(/^culvert: The engine is not running[\s\S]*`sudo culvert daemon`/);
    },
  );

  it('still finds the mistakes in a profile', async () => {
    const file = profileFile(profileText('office').replace('"routes"', '"rotes"'));
    for (const command of ['import', 'up']) {
      const { code, err } = await run(command, file);
      expect(code).toBe(Exit.PROFILE);
      expect(err).toMatch(/office\.json: The profile has a mistake:\n {2}\/rotes: .*Did you mean \/routes\?/);
    }
  });
});

describe('ui', () => {
  it('serves the interface until it is interrupted, under an address with a key', async () => {
    await open();
    const folder = join(files, 'interface');
    mkdirSync(folder);
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Culvert</title>');
    const out: string[] = [];
    const interrupt = new AbortController();
    const io: CliIo = {
      out: (text) => out.push(text),
      err: () => {},
      isTerminal: false,
      now: () => 0,
      connect: connectEngine,
      interrupted: interrupt.signal,
    };
    const ended = ui(io, scene!.socketPath, { port: 0, open: false, folder });
    await expect.poll(() => out[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[0-9a-f]{64}$/);
    const address = out[0]!.split('#')[0]!;
    expect(await (await fetch(address)).text()).toContain('<title>Culvert</title>');
    interrupt.abort();
    expect(await ended).toBe(Exit.OK);
    await expect(fetch(address)).rejects.toThrow();
  });

  it('says what is missing', async () => {
    await open();
    const { io } = { io: { out: () => {}, err: () => {}, isTerminal: false, now: () => 0, connect: connectEngine } };
    const given = { ...io, interrupted: new AbortController().signal };
    await expect(ui(given, scene!.socketPath, { port: 0, open: false, folder: files })).rejects.toMatchObject({
      code: 'ipc/web',
    });
    await expect(ui(given, join(files, 'none'), { port: 0, open: false })).rejects.toMatchObject({
      code: 'ipc/not-running',
    });
  });
});

describe('usage', () => {
  it.each([
    [[], Exit.USAGE, /Usage: culvert/],
    [['--help'], Exit.OK, /Usage: culvert/],
    [['up', '--help'], Exit.OK, /Usage: culvert up/],
    [['--version'], Exit.OK, /^1\.2\.3$/],
    [['conect'], Exit.USAGE, /unknown command/],
    [['up'], Exit.USAGE, /missing required argument 'profile'/],
    [['up', 'a', 'b'], Exit.USAGE, /too many arguments/],
    [['status', '--jsn'], Exit.USAGE, /unknown option[\s\S]*--json/],
    [['logs', '-n', 'many'], Exit.USAGE, /Expected a number/],
    [['daemon', '--log-level', 'loud'], Exit.USAGE, /Allowed choices are debug, info, warn, error/],
  ])('%j', async (argv, expected, says) => {
    const { code, out, err } = await run(...argv);
    expect(`${out}${err}`).toMatch(says);
    expect(code).toBe(expected);
    expect(expected === Exit.OK ? err : out).toBe('');
  });

  it('hands the daemon its options', async () => {
    let given: DaemonArguments | undefined;
    const argv = ['daemon', '--socket', '/s', '--profiles', '/p', '--foreground', '--log-level', 'debug', '--json'];
    expect(
      await begin(argv, {
        daemon: (options) => {
          given = options;
        },
      }).code,
    ).toBeUndefined();
    expect(given).toEqual({
      socketPath: '/s',
      profileDirectory: '/p',
      foreground: true,
      logLevel: 'debug',
      json: true,
    });
  });
});

describe('up', () => {
  it('imports a file, tells each step, and shows the tunnel', async () => {
    await open({
      script: (session) => {
        for (const step of ['socket', 'sa-init', 'auth', 'tun', 'routes'] as const)
          session.go({ state: 'connecting', profile: 'office', step, attempt: 1 });
        setTimeout(() => connected(session), 50);
      },
    });
    const { code, out, err } = await run('up', profileFile(profileText('office')));
    expect(err).toBe('');
    expect(code).toBe(Exit.OK);
    expect(out).toMatch(/^Imported the profile "office"\.\n/);
    expect(out).toMatch(/Setting up routes …\nConnected with "office"\./);
    for (const fact of [
      '192.0.2.1:4500',
      'gw.example',
      'behind a NAT: this computer',
      'aes128gcm16',
      'culvert0: 10.88.0.2/24',
      '1500 - … = 1414',
      '10.66.0.53',
      'something to know',
    ])
      expect(out).toContain(fact);
    expect(out).not.toContain(SECRET);
    expect((await run('list')).out).toBe('office  vpn.example.com  GRE in ESP tunnel mode');
  });

  it('replaces the stored profile by the file, and uses a stored one by its name', async () => {
    await open({ script: connected });
    await run('up', profileFile(profileText('office')));
    await run('down');
    await run('up', profileFile(profileText('office', { gateway: { host: 'new.example' } })));
    expect(scene?.session.profile.gateway.host).toBe('new.example');
    await run('down');
    expect((await run('up', 'office')).code).toBe(Exit.OK);
    expect(scene?.session.profile.gateway.host).toBe('new.example');
  });

  it('with the file of the tunnel that is up is content; with another one it changes nothing and says what to do', async () => {
    await open({ script: connected });
    const file = profileFile(profileText('office'), 'same.json');
    await run('up', file);
    const again = await run('up', file);
    expect([again.code, again.err]).toEqual([Exit.OK, '']);
    expect(again.out).toContain('Connected with "office" already.');
    const other = profileFile(profileText('office', { gateway: { host: 'new.example' } }), 'other.json');
    const refused = await run('up', other);
    expect(refused.code).toBe(Exit.BUSY);
    expect(refused.err).toMatch(
      /in use\. Nothing was changed\.\nDisconnect first, then do the same again\.\n.*`culvert down`/,
    );
    expect((await run('list')).out).toContain('vpn.example.com');
    expect(scene?.sessions).toHaveLength(1);
    await run('down');
    expect((await run('up', other)).code).toBe(Exit.OK);
    expect(scene?.session.profile.gateway.host).toBe('new.example');
  });

  it('fails with the reason and the remedy', async () => {
    await open({ script: failed });
    const { code, out, err } = await run('up', profileFile(profileText('office')));
    expect(code).toBe(Exit.CONNECTION);
    expect(err).toBe(`culvert: ${REFUSED.message}\n${REFUSED.remedy}`);
    expect(out).not.toContain('Connected');
    expect((await run('status')).out).toMatch(
      /failed\.\n +because +The gateway did not accept us\.\n +Check the secret\./,
    );
  });

  it('ends the connection when interrupted', async () => {
    const { daemon: _ } = await open();
    const file = profileFile(profileText('office'));
    const up = begin(['up', file]);
    await expect.poll(() => up.out.join('\n')).toContain('Looking up the gateway');
    up.interrupt();
    expect(await up.code).toBe(Exit.INTERRUPTED);
    expect(scene?.session.stops).toBe(1);
    expect((await run('status')).out).toBe('Not connected.');
  });

  const PROMPT = {
    id: 'open',
    kind: 'code',
    text: 'Token',
    username: 'alice',
    gateway: 'gw.example',
    refused: true,
  } as const;
  const asked = (session: FakeSession): void =>
    session.go({ state: 'connecting', profile: 'office', step: 'auth', attempt: 1, prompt: PROMPT });

  it('asks on the terminal what the gateway wants to know', async () => {
    await open({ script: asked });
    const questions: string[] = [];
    const up = begin(['up', profileFile(profileText('office'))], {
      askSecret: async (question) => {
        questions.push(question);
        return '123456';
      },
    });
    await expect.poll(() => scene?.session.answers).toEqual(['123456']);
    expect((await run('status')).out).toBe('Connecting with "office": waiting for a one-time code …');
    connected(scene!.session);
    expect(await up.code).toBe(Exit.OK);
    expect(questions).toEqual(['One-time code (Token) for alice at gw.example: ']);
    expect(up.err).toEqual(['The gateway refused it.']);
    expect([...up.out, ...up.err].join('\n')).not.toContain('123456');
  });

  it('leaves off asking where somebody else has answered', async () => {
    await open({ script: asked });
    let left = false;
    const up = begin(['up', profileFile(profileText('office'))], {
      askSecret: (_question, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            left = true;
            resolve(null);
          });
        }),
    });
    await expect.poll(() => up.err).toContain('The gateway refused it.');
    connected(scene!.session);
    expect(await up.code).toBe(Exit.OK);
    expect(left).toBe(true);
    expect(scene?.session.answers).toEqual([]);
  });

  it('leaves the question to others where there is no terminal, and says so', async () => {
    await open({ script: asked });
    const up = begin(['up', profileFile(profileText('office'))]);
    await expect.poll(() => up.err.join('\n')).toContain('There is no terminal to ask on: answer in the window');
    expect(up.err.join('\n')).toContain('One-time code (Token) for alice at gw.example.');
    // Whoever has one answers.
    const other = begin(['up', 'office'], { askSecret: async () => '123456' });
    await expect.poll(() => scene?.session.answers).toEqual(['123456']);
    connected(scene!.session);
    expect(await up.code).toBe(Exit.OK);
    expect(await other.code).toBe(Exit.OK);
    expect(scene?.session.answers).toEqual(['123456']);
  });

  it('says that somebody else ended it', async () => {
    await open();
    const up = begin(['up', profileFile(profileText('office'))]);
    await expect.poll(() => scene?.sessions.length).toBe(1);
    expect((await run('down')).out).toBe('Disconnected from "office".');
    expect(await up.code).toBe(Exit.CONNECTION);
    expect(up.err.join()).toMatch(/ended before it was up/);
  });

  it('refuses while another profile is in use', async () => {
    await open({ script: connected });
    await run('up', profileFile(profileText('office')));
    const { code, err } = await run('up', profileFile(profileText('home')));
    expect(code).toBe(Exit.BUSY);
    expect(err).toMatch(/The profile “office” is in use already[\s\S]*`culvert down`/);
  });

  it('suggests a name', async () => {
    await open();
    await run('import', profileFile(profileText('office')));
    const { code, err } = await run('up', 'ofice');
    expect(code).toBe(Exit.PROFILE);
    expect(err).toMatch(/no profile "ofice"\. Did you mean "office"\?/);
  });
});

describe('import', () => {
  it('reads a secret from a file beside the profile, and warns where others may read it', async () => {
    await open({ script: connected });
    writeFileSync(join(files, 'office.secret'), `${SECRET}\n`, { mode: 0o644 });
    chmodSync(join(files, 'office.secret'), 0o644);
    const authentication = { method: 'psk', secret: { file: 'office.secret' } };
    const { code, out, err } = await run('import', profileFile(profileText('office', { authentication })));
    expect(code).toBe(Exit.OK);
    expect(out).toMatch(/Imported the profile "office": vpn\.example\.com/);
    expect(err).toMatch(/^Warning: Other users can read the secret file .*office\.secret \(mode 644\)/);
    await run('up', 'office');
    expect(Buffer.from(scene!.session.profile.authentication.secret).toString()).toBe(SECRET);
  });

  it('warns of a profile that others may read, and of what is in it', async () => {
    await open();
    const text = profileText('office', { gre: { address: ['10.88.0.2/24'], sequence: true } });
    const { err } = await run('import', profileFile(text, 'office.json', 0o644));
    expect(err).toMatch(/contains a secret, and other users can read it/);
    expect(err).toMatch(/RFC 2890/);
  });

  it('replaces only with --replace', async () => {
    await open();
    const file = profileFile(profileText('office'));
    expect((await run('import', file)).code).toBe(Exit.OK);
    const second = await run('import', file);
    expect(second.code).toBe(Exit.PROFILE);
    expect(second.err).toMatch(/already\.\nImport with --replace/);
    expect((await run('import', file, '--replace')).code).toBe(Exit.OK);
  });

  it.each([
    ['nothing there', 'missing.json', /does not exist/],
    ['a directory', '.', /EISDIR/],
  ])('%s', async (_name, name, says) => {
    await open();
    const { code, err } = await run('import', join(files, name));
    expect(code).toBe(Exit.PROFILE);
    expect(err).toMatch(says);
  });
});

describe('down, remove, list', () => {
  it('say what they did', async () => {
    await open({ script: connected });
    expect((await run('list')).out).toMatch(/no profiles/);
    expect(await run('down')).toEqual({ code: Exit.OK, out: 'Not connected.', err: '' });
    await run('up', profileFile(profileText('office')));
    expect((await run('remove', 'office')).code).toBe(Exit.BUSY);
    expect((await run('down')).out).toBe('Disconnected from "office".');
    expect((await run('remove', 'office')).out).toBe('Removed the profile "office".');
    expect((await run('remove', 'office')).code).toBe(Exit.PROFILE);
    expect(JSON.parse((await run('list', '--json')).out)).toEqual([]);
  });
});

describe('status', () => {
  it('shows everything about a tunnel, and as JSON what the contract says', async () => {
    await open({ script: connected });
    await run('up', profileFile(profileText('office')));
    const { out } = await run('status');
    expect(out).toMatch(/^Connected with "office" for 1 min 30 s\.\n/);
    expect(out).toMatch(/received 1\.23 MB in 1000 packets, sent 42 B in 1 packets, last heard 5 s ago/);
    expect(out).toMatch(/counters +inReplayOld 3$/m);
    // No colours, no cursor movement.
    expect(out).not.toContain('\u001b');
    const status = JSON.parse((await run('status', '--json')).out) as Status;
    expect(status.engine).toMatchObject({ state: 'connected', tunnel: { mtu: { value: 1414 } } });
  });

  it('gives what a gateway sent no way into the terminal', async () => {
    await open({
      script: (session) =>
        session.go({ state: 'failed', profile: 'office', error: { ...REFUSED, message: 'no \u001b]0;owned\u0007' } }),
    });
    const up = await run('up', profileFile(profileText('office')));
    expect(up.err).toMatch(/no \?\]0;owned\?/);
    expect((await run('status')).out).toMatch(/no \?\]0;owned\?/);
  });

  it('goes on with --watch until interrupted', async () => {
    await open({ script: connected });
    const watch = begin(['status', '--watch', '--json']);
    await expect.poll(() => watch.out.length).toBe(1);
    await run('up', profileFile(profileText('office')));
    await run('down');
    await expect.poll(() => watch.out.at(-1)).toContain('"disconnected"');
    watch.interrupt();
    expect(await watch.code).toBe(Exit.OK);
    const states = watch.out
      .map((line) => JSON.parse(line) as Partial<Status>)
      .flatMap(({ engine }) => engine?.state ?? []);
    expect(states).toEqual(expect.arrayContaining(['disconnected', 'connected']));
  });

  it('ends with an error when the engine goes', async () => {
    await open();
    const watch = begin(['status', '--watch']);
    await expect.poll(() => watch.out).toEqual(['Not connected.']);
    await scene?.daemon.stop();
    expect(await watch.code).toBe(Exit.FAILED);
    expect(watch.err.join()).toMatch(/went away/);
  });
});

describe('logs', () => {
  it('shows what came while it was asking once, in its order', async () => {
    const entry = (text: string): LogEntry => ({ time: 0, level: 'info', area: 'test', text });
    let hear: (entry: LogEntry) => void = () => {};
    let end: () => void = () => {};
    const engine: EngineClient = {
      // Each name has its own result; the compiler cannot see that through the union.
      call: (async (name: string) => {
        if (name !== 'logs') return {};
        hear(entry('in both'));
        hear(entry('too late for the answer'));
        return { entries: [entry('before'), entry('in both')] };
      }) as EngineClient['call'],
      on: (_event, listener) => {
        hear = listener as typeof hear;
        return () => {};
      },
      closed: new Promise((resolve) => {
        end = () => resolve(undefined);
      }),
      close: () => {},
    };
    const follow = begin(['logs', '-f'], { connect: async () => engine });
    await expect.poll(() => follow.out.length).toBeGreaterThan(2);
    hear(entry('after'));
    end();
    expect(await follow.code).toBe(Exit.OK);
    expect(follow.out.map((line) => line.split('test: ')[1])).toEqual([
      'before',
      'in both',
      'too late for the answer',
      'after',
    ]);
  });

  it('shows the newest, then follows, each entry once', async () => {
    await open();
    for (let i = 0; i < 20; i++) scene!.log.add({ level: 'info', area: 'test', text: `entry ${i}.` });
    const { out } = await run('logs', '-n', '2');
    expect(out.split('\n').map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'info  test: entry 18.',
      'info  test: entry 19.',
    ]);

    const follow = begin(['logs', '-f', '-n', '5']);
    // Some of these fall between the subscription and the answer, some after it.
    let next = 20;
    await expect
      .poll(
        () => {
          scene!.log.add({ level: 'info', area: 'test', text: `entry ${next++}.` });
          return follow.out.length > 8;
        },
        { interval: 1 },
      )
      .toBe(true);
    const last = next - 1;
    await expect.poll(() => follow.out.at(-1)).toContain(`entry ${last}.`);
    follow.interrupt();
    expect(await follow.code).toBe(Exit.OK);
    const numbers = follow.out.map((line) => Number(/entry (\d+)\./.exec(line)?.[1]));
    const first = numbers[0]!;
    expect(numbers).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
  });
});
