// The one runner of commands: what comes back of success, failure, absence, and the environment it gives.
import { describe, expect, it } from 'vitest';
import { NetError } from '../../main/net/error.ts';
import { recordingRunner } from '../../main/net/runner.fake.ts';
import { commandLine, runOrError, systemRunner } from '../../main/net/runner.ts';

describe('systemRunner', () => {
  it('gives output and exit code', async () => {
    expect(await systemRunner.run('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('feeds input, and does not mind a command that does not read it', async () => {
    expect(await systemRunner.run('cat', [], 'a\nb\n')).toMatchObject({ stdout: 'a\nb\n' });
    expect(await systemRunner.run('true', [], 'x'.repeat(1_000_000))).toMatchObject({ exitCode: 0 });
  });

  it('clears the environment and uses no shell', async () => {
    process.env.CULVERT_TEST_SECRET = 'x';
    const result = await systemRunner.run('env', []);
    expect(result).not.toBeInstanceOf(NetError);
    expect((result as { stdout: string }).stdout).not.toContain('CULVERT_TEST_SECRET');
    expect(await systemRunner.run('echo', ['$HOME;', '`id`'])).toMatchObject({ stdout: '$HOME; `id`\n' });
    delete process.env.CULVERT_TEST_SECRET;
  });

  it('gives a locale whose words are English, and which can say every name', async () => {
    expect(await systemRunner.run('locale', ['charmap'])).toMatchObject({ stdout: 'UTF-8\n' });
    expect(await systemRunner.run('cat', ['/nowhere'])).toMatchObject({
      stderr: 'cat: /nowhere: No such file or directory\n',
    });
  });

  it('says which command is missing', async () => {
    const result = await systemRunner.run('no-such-command-here', ['x']);
    expect(result).toMatchObject({ code: 'command-missing', operation: 'no-such-command-here x' });
  });

  it('does not say of a command that cannot be run that it took too long', async () => {
    const answer = await systemRunner.run('/etc/passwd', []);
    expect(answer).toMatchObject({ code: 'command-failed', message: '"/etc/passwd" could not be run (EACCES).' });
  });

  it('reads kernel settings, and knows that there is none', async () => {
    expect(await systemRunner.readSetting('net/ipv4/ip_forward')).toMatch(/^[01]$/);
    expect(await systemRunner.readSetting('net/ipv4/no_such_setting')).toBeUndefined();
    expect(await systemRunner.writeSetting('net/ipv4/no_such_setting', '1')).toBeInstanceOf(NetError);
  });
});

describe('runOrError', () => {
  const fails = (stderr: string) => recordingRunner(() => ({ exitCode: 2, stderr }));

  it('quotes what the command said', async () => {
    const error = await runOrError(fails('RTNETLINK answers: File exists\n'), 'ip', ['route', 'add', 'x']);
    expect(error).toMatchObject({ code: 'command-failed' });
    expect((error as NetError).message).toBe('"ip route add x" failed: RTNETLINK answers: File exists.');
  });

  it('tells missing permission apart', async () => {
    expect(await runOrError(fails('RTNETLINK answers: Operation not permitted'), 'ip', [])).toMatchObject({
      code: 'no-permission',
      errno: 'EPERM',
    });
  });

  it('gives the output of success', async () => {
    expect(
      await runOrError(
        recordingRunner(() => 'fine'),
        'ip',
        [],
      ),
    ).toBe('fine');
  });
});

it('writes a command line as a person would type it', () => {
  expect(commandLine('ip', ['route', 'add', '10.0.0.0/8', 'dev', 'a b'])).toBe('ip route add 10.0.0.0/8 dev "a b"');
});
