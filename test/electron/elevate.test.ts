// How the engine is started with an administrator's rights: the command lines, what becomes of a refusal, and what is not run
// as root at all.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { changeableByOthers, elevated, launchProcess, refusalOf } from '../../main/electron/elevate.ts';

const POWERSHELL = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';

const place = {
  node: '/opt/Culvert/resources/engine/node',
  program: '/opt/Culvert/resources/engine/main/cli/culvert.js',
  socketPath: '/run/culvert/culvert.sock',
};
const ENGINE = [place.program, 'daemon', '--foreground', '--socket', place.socketPath];

describe('the command line', () => {
  it('is pkexec’s on Linux, with the program that the policy names', () => {
    expect(elevated('linux', place)).toEqual({
      command: 'pkexec',
      args: ['--disable-internal-agent', place.node, ...ENGINE],
    });
    const policy = readFileSync(service('org.culvert.engine.policy'), 'utf8');
    expect(policy).toContain(`policykit.exec.path">${place.node}<`);
    expect(policy).toContain(`policykit.exec.argv1">${place.program}<`);
  });

  it('is osascript’s on macOS, through which a shell reads exactly these words', () => {
    const odd = { ...place, node: `/Applications/Bob's "Apps" \\ $HOME/node`, socketPath: '/tmp/a b`c' };
    const { command, args } = elevated('darwin', odd)!;
    expect(command).toBe('/usr/bin/osascript');
    const script = /^do shell script "(.*)" with administrator privileges$/s.exec(args[1]!)![1]!;
    // AppleScript's own escapes.
    const line = script.replace(/\\(["\\])/g, '$1');
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
    expect(words).toEqual([
      '/usr/bin/env',
      '-i',
      odd.node,
      odd.program,
      'daemon',
      '--foreground',
      '--socket',
      odd.socketPath,
    ]);
  });

  it('is PowerShell’s on Windows, each word in quotation marks', () => {
    const windows = {
      node: `C:\\Program Files\\Bob's\\node.exe`,
      program: 'C:\\Program Files\\Culvert\\culvert.js',
      socketPath: '\\\\.\\pipe\\culvert\\',
    };
    const { command, args } = elevated('win32', windows)!;
    expect(command).toBe(POWERSHELL);
    const script = args.at(-1)!;
    expect(script).toContain(`$i.FileName='C:\\Program Files\\Bob''s\\node.exe'`);
    expect(script).toContain(
      `$i.Arguments='"C:\\Program Files\\Culvert\\culvert.js" "daemon" "--foreground" "--socket" "\\\\.\\pipe\\culvert\\\\"'`,
    );
    expect(script).toContain('-eq 1223){exit 126}');
  });

  it('is none where there is no engine', () => expect(elevated('aix', place)).toBeNull());
});

test.each<[string, number | null, string, string | undefined, ReturnType<typeof refusalOf>]>([
  ['pkexec', 126, 'Error executing command as another user: Request dismissed', undefined, 'dismissed'],
  ['pkexec', 127, 'Error executing command as another user: Not authorized', undefined, 'not-authorised'],
  ['pkexec', 127, 'Error executing command as another user: No authentication agent found.', undefined, 'no-way'],
  ['pkexec', 127, 'Error getting authority: Error initializing authority', undefined, 'no-way'],
  ['pkexec', null, 'spawn pkexec ENOENT', 'ENOENT', 'no-way'],
  ['pkexec', 1, 'This Node.js cannot do …', undefined, undefined],
  ['/usr/bin/osascript', 1, '0:5: execution error: User canceled. (-128)', undefined, 'dismissed'],
  ['/usr/bin/osascript', 1, 'execution error: Abgebrochen. (-128)', undefined, 'dismissed'],
  ['/usr/bin/osascript', 1, 'execution error: the engine ended (1)', undefined, undefined],
  [POWERSHELL, 126, '', undefined, 'dismissed'],
  [POWERSHELL, 0, '', undefined, undefined],
])('%s that ends with %s, saying %j (%s): %s', (command, code, said, errno, refusal) => {
  expect(refusalOf(command, code, said, errno)).toBe(refusal);
});

describe('a process', () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'culvert-elevate-'));
    process.env.PATH = folder;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });
  /** A pkexec that does so. */
  const pkexec = (body: string): void => {
    writeFileSync(join(folder, 'pkexec'), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, 'pkexec'), 0o755);
  };
  const run = () => launchProcess(elevated('linux', place)!).ended;

  it('is not there', async () => {
    expect(await run()).toMatchObject({ code: null, refusal: 'no-way' });
  });
  it('was dismissed', async () => {
    pkexec('echo "Error executing command as another user: Request dismissed" >&2; exit 126');
    expect(await run()).toMatchObject({ code: 126, refusal: 'dismissed' });
  });
  it('started an engine that ended, whose last words are kept', async () => {
    pkexec('i=0; while [ $i -lt 300 ]; do echo "line $i of what the engine says" >&2; i=$((i+1)); done; exit 70');
    const { code, said, refusal } = await run();
    expect([code, refusal, said.length]).toEqual([70, undefined, 4096]);
    expect(said.trimEnd().endsWith('line 299 of what the engine says')).toBe(true);
  });
  it('gets exactly the engine’s words', async () => {
    pkexec('printf "%s|" "$@" >&2; exit 1');
    expect((await run()).said).toBe(`--disable-internal-agent|${[place.node, ...ENGINE].join('|')}|`);
  });
});

test('nothing is run as root that others may change', () => {
  const modes: Record<string, [number, number]> = {
    '/': [0, 0o40755],
    '/opt': [0, 0o40755],
    '/opt/Culvert': [0, 0o40755],
    '/opt/Culvert/node': [0, 0o100755],
  };
  const look = (changes: typeof modes = {}) =>
    changeableByOthers(['/opt/Culvert/node'], (path) => {
      const [uid, mode] = { ...modes, ...changes }[path] ?? [Number.NaN, 0];
      if (Number.isNaN(uid)) throw new Error(`ENOENT: ${path}`);
      return { uid, mode };
    });
  expect(look()).toBeUndefined();
  expect(look({ '/opt/Culvert/node': [1000, 0o100755] })).toBe('/opt/Culvert/node');
  expect(look({ '/opt/Culvert/node': [0, 0o100757] })).toBe('/opt/Culvert/node');
  expect(look({ '/opt/Culvert': [0, 0o40775] })).toBe('/opt/Culvert');
  expect(look({ '/opt': [1000, 0o40755] })).toBe('/opt');
  expect(look({ '/opt': [0, 0o41777] })).toBeUndefined();
  expect(look({ '/opt/Culvert/node': [0, 0o101777] })).toBe('/opt/Culvert/node');
  expect(look({ '/opt/Culvert/node': [Number.NaN, 0] })).toBe('/opt/Culvert/node');
});

function service(name: string): string {
  return fileURLToPath(new URL(`../../build/service/${name}`, import.meta.url));
}
const systemd = (() => {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!systemd)('systemd finds nothing wrong with the unit (skipped where there is no systemd-analyze)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-unit-'));
  try {
    // The program is not installed here; everything else is as it stands.
    const text = readFileSync(service('culvert.service'), 'utf8');
    expect(text).toContain(`ExecStart=${place.node} ${place.program} daemon --foreground\n`);
    const unit = join(folder, 'culvert.service');
    writeFileSync(unit, text.replace(place.node, process.execPath));
    const said = execFileSync(
      'sh',
      ['-c', `systemd-analyze verify --man=no --generators=no ${unit} 2>&1 || echo FAILED`],
      {
        encoding: 'utf8',
      },
    );
    expect(said.split('\n').filter((line) => /culvert\.service|FAILED/.test(line))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
