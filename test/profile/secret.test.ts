// Secrets: their forms, and that no message ever shows one.
import { describe, expect, it } from 'vitest';
import { parseProfile } from '../../main/profile/parse.ts';
import { ProfileError } from '../../main/profile/problem.ts';
import { type ReadSecretFile, readSecret } from '../../main/profile/secret.ts';

const files: Readonly<Record<string, Uint8Array>> = {
  'unix.secret': Buffer.from('from a file, quite long\n'),
  'dos.secret': Buffer.from('from a file, quite long\r\n'),
  'two.secret': Buffer.from('from a file, quite long\n\n'),
  'binary.secret': Uint8Array.from([...new Uint8Array(16).fill(0xff), 0x0a]),
  'newline.secret': Buffer.from('\n'),
  'huge.secret': new Uint8Array(5000).fill(65),
};
const readFile: ReadSecretFile = (path) => {
  const bytes = files[path];
  if (!bytes) throw Object.assign(new Error('no'), { code: path === 'shadow' ? 'EACCES' : 'ENOENT' });
  return { bytes, warnings: [] };
};

const bytesOf = (raw: unknown): string => {
  const secret = readSecret(raw, readFile);
  if (!('bytes' in secret)) throw new Error(secret.map((problem) => problem.message).join());
  return Buffer.from(secret.bytes).toString('latin1');
};

describe('the forms of a secret', () => {
  it.each([
    ['text', 'correct horse battery', 'correct horse battery'],
    ['text beyond ASCII, in UTF-8', 'schlüssel', 'schl\u00c3\u00bcssel'],
    ['base64', { base64: 'Y29ycmVjdCBob3JzZQ==' }, 'correct horse'],
    ['base64 without padding', { base64: 'Y29ycmVjdCBob3JzZQ' }, 'correct horse'],
    ['hex', { hex: '6D656c6c6F6e' }, 'mellon'],
    ['a text file', { file: 'unix.secret' }, 'from a file, quite long'],
    ['a text file of Windows', { file: 'dos.secret' }, 'from a file, quite long'],
    ['a text file: only its last newline goes', { file: 'two.secret' }, 'from a file, quite long\n'],
    ['a binary file, whole', { file: 'binary.secret' }, `${'\u00ff'.repeat(16)}\n`],
  ])('%s', (_name, raw, expected) => {
    expect(bytesOf(raw)).toBe(expected);
  });

  it.each([
    ['a file that is not there', { file: 'nothing' }, /does not exist/],
    ['a file of somebody else', { file: 'shadow' }, /may not read/],
    ['an empty file', { file: 'newline.secret' }, /is empty/],
    ['a file that is no secret', { file: 'huge.secret' }, /longer than 4096/],
    ['no file name', { file: '' }, /is empty/],
    ['base64 with a slip', { base64: 'Y29y?mVjdA==' }, /not base64/],
    ['empty base64', { base64: '' }, /not base64/],
    ['empty hex', { hex: '' }, /hexadecimal/],
    ['null', null, /neither/],
    ['a list', ['x'], /neither/],
    ['a number in a form', { hex: 12 }, /not text/],
  ])('refuses %s', (_name, raw, says) => {
    expect(() => bytesOf(raw)).toThrow(says);
  });

  it('warns of one that can be guessed', () => {
    expect(readSecret('x'.repeat(15), undefined)).toMatchObject({
      warnings: [{ code: 'profile.shortSecret', data: { bytes: 15, least: 16 } }],
    });
    expect(readSecret('x'.repeat(16), undefined)).toMatchObject({ warnings: [] });
  });

  it('is stored in one form, and read back the same', () => {
    const file = {
      culvert: 1,
      name: 'office',
      gateway: { host: 'vpn.example.com' },
      authentication: { method: 'psk', secret: { file: 'binary.secret' } },
      tunnel: { shape: 'esp-tunnel' },
      routes: { include: ['0.0.0.0/0'] },
    };
    const first = parseProfile(JSON.stringify(file), { readSecretFile: readFile });
    expect(first.text).not.toContain('binary.secret');
    const second = parseProfile(first.text);
    expect(second.profile).toEqual(first.profile);
    expect(Object.keys(JSON.parse(first.text) as object)).toEqual(Object.keys(file));
  });
});

describe('messages never show the secret', () => {
  const SECRET = 'S3cr3t-that-nobody-must-see';
  const base = {
    culvert: 1,
    name: 'office',
    gateway: { host: 'vpn.example.com' },
    authentication: { method: 'psk', secret: SECRET },
    tunnel: { shape: 'esp-tunnel' },
    mistake: true,
  };
  const text = JSON.stringify(base);
  const auth = (authentication: unknown): string => JSON.stringify({ ...base, authentication });

  const leaks: [name: string, profile: string][] = [
    ['beside another mistake', text],
    ['in a wrong place', JSON.stringify({ ...base, secret: SECRET })],
    ['as the section', auth(SECRET)],
    ['as the section, in a list', auth([SECRET])],
    ['as the method', auth({ method: SECRET, secret: SECRET })],
    ['as the identity', auth({ method: 'psk', identity: `${SECRET} `, secret: SECRET })],
    ['under a wrong key', auth({ method: 'psk', psk: SECRET })],
    ['in a form that does not fit', auth({ method: 'psk', secret: { hex: SECRET } })],
    ['in a form that is not there', auth({ method: 'psk', secret: { text: SECRET } })],
    ['in base64 that is none', auth({ method: 'psk', secret: { base64: `${SECRET}!` } })],
    ['in a list', auth({ method: 'psk', secret: [SECRET] })],
    // Not JSON any more, cut off in every place.
    ...Array.from(text, (_, i): [string, string] => [`cut after ${i}`, text.slice(0, i)]),
    ...Array.from(text, (_, i): [string, string] => [`broken at ${i}`, `${text.slice(0, i)}\u0001${text.slice(i)}`]),
  ];

  it.each(leaks)('%s', (_name, profile) => {
    let caught: unknown;
    try {
      parseProfile(profile);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ProfileError);
    const { message, remedy, problems } = caught as ProfileError;
    expect(`${message}${remedy}${JSON.stringify(problems)}`).not.toContain(SECRET.slice(0, 6));
  });
});
