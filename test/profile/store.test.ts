// The store on a real file system, in a directory of its own.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overridden } from '../../main/profile/edit.ts';
import { type ParsedProfile, parseProfile } from '../../main/profile/parse.ts';
import { ProfileError } from '../../main/profile/problem.ts';
import { checkProfileRights, openProfileStore, type ProfileStore } from '../../main/profile/store.ts';
import { textsOf } from '../words/texts.ts';

let top: string;
let directory: string;
let store: ProfileStore;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'culvert-store-'));
  directory = join(top, 'etc', 'profiles');
  store = openProfileStore(directory);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function profile(name: string, host = 'vpn.example.com'): ParsedProfile {
  return parseProfile(
    JSON.stringify({
      culvert: 1,
      name,
      gateway: { host },
      authentication: { method: 'psk', secret: 'correct horse battery staple' },
      tunnel: { shape: 'esp-tunnel' },
      routes: { include: ['0.0.0.0/0'] },
    }),
  );
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

async function rejection(work: Promise<unknown>): Promise<ProfileError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the profile store', () => {
  it('keeps profiles for root alone, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await store.save(profile('office'), false);
    } finally {
      process.umask(before);
    }
    expect(mode(directory)).toBe('700');
    expect(mode(join(directory, 'office.json'))).toBe('600');
    expect(readdirSync(directory)).toEqual(['office.json']);
  });

  it('goes on reading what an older version took with a warning, and says so; an import of it is refused', async () => {
    const text = JSON.stringify({
      ...JSON.parse(profile('office').text),
      proposals: { ike: ['aes128-sha1-modp2048'] },
      locked: ['/mtu'],
    });
    expect(() => parseProfile(text)).toThrow('/proposals/ike/0');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'office.json'), text);
    expect((await store.list()).broken).toEqual([]);
    const read = await store.read('office');
    expect(read.profile.proposals.ike).toEqual(['aes128-sha1-modp2048']);
    // The other protocol is not weakened with it.
    expect(read.profile.proposals.esp).toEqual(profile('other').profile.proposals.esp);
    expect(textsOf(read.warnings)).toMatch(/WEAK: .*“aes128-sha1-modp2048”.*SHA-1.*policy set to “legacy”/);
    // It can be edited, and read again afterwards.
    await store.save(overridden(read, 'routes', { exclude: ['10.0.0.0/8'] }), true);
    expect((await store.read('office')).profile.policy?.changed).toEqual(['/routes/exclude']);
  });

  it('gives back what it was given, sorted', async () => {
    for (const name of ['zurich', 'athens', 'Berlin']) await store.save(profile(name), false);
    expect((await store.list()).profiles.map(({ name }) => name)).toEqual(['Berlin', 'athens', 'zurich']);
    expect(await store.load('athens')).toEqual(profile('athens').profile);
  });

  it('is empty where there is no directory yet', async () => {
    expect(await store.list()).toEqual({ profiles: [], broken: [] });
    expect((await rejection(store.load('office'))).remedy).toMatch(/There are none yet/);
  });

  it('replaces only when asked to', async () => {
    expect(await store.save(profile('office', 'old.example'), false)).toBe(false);
    expect(await rejection(store.save(profile('office', 'new.example'), false))).toMatchObject({ code: 'exists' });
    expect((await store.load('office')).gateway.host).toBe('old.example');
    expect(await store.save(profile('office', 'new.example'), true)).toBe(true);
    expect((await store.load('office')).gateway.host).toBe('new.example');
    expect(await store.save(profile('other'), true)).toBe(false);
    expect(readdirSync(directory)).toEqual(['office.json', 'other.json']);
  });

  it('lets one of two imports at once win', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => store.save(profile('office', `gw${i}.example`), false)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['office.json']);
  });

  it('never shows half a file to a reader while it is replaced', async () => {
    await store.save(profile('office'), false);
    const writing = (async () => {
      for (let i = 0; i < 20; i++) await store.save(profile('office', `gw${i}.example`), true);
      return 'done';
    })();
    let reads = 0;
    for (let over = false; !over; reads++) {
      parseProfile(readFileSync(join(directory, 'office.json'), 'utf8'));
      over = (await Promise.race([writing, new Promise((resolve) => setImmediate(resolve))])) === 'done';
    }
    expect(reads).toBeGreaterThan(1);
  });

  it('removes, and suggests a name for one that is not there', async () => {
    await store.save(profile('office'), false);
    const error = await rejection(store.remove('ofice'));
    expect(error.code).toBe('not-found');
    expect(error.message).toMatch(/Did you mean "office"\?/);
    await store.remove('office');
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(['../office', '/etc/passwd', '', '.', '..', 'a/b', 'a\0b', '.office', 'x'.repeat(100)])(
    'does not leave its directory for %j',
    async (name) => {
      writeFileSync(join(top, 'office.json'), profile('office').text);
      for (const work of [store.load(name), store.remove(name)])
        expect(await rejection(work)).toMatchObject({ code: 'name' });
      expect(readdirSync(top)).toContain('office.json');
    },
  );

  it('shows files that hold no profile as broken, and the others still', async () => {
    await store.save(profile('office'), false);
    writeFileSync(join(directory, 'typo.json'), profile('typo').text.replace('"gateway"', '"gatway"'));
    writeFileSync(join(directory, 'moved.json'), profile('office').text);
    writeFileSync(join(directory, '.left.json.123.new'), 'half a fi');
    writeFileSync(join(directory, 'README'), 'nothing');
    const { profiles, broken } = await store.list();
    expect(profiles.map(({ name }) => name)).toEqual(['office']);
    expect(broken.map(({ name, error }) => [name, error.code])).toEqual([
      ['moved', 'name'],
      ['typo', 'missing'],
    ]);
  });

  it('says where it may not write', async () => {
    mkdirSync(join(top, 'etc'));
    writeFileSync(directory, 'a file, where the directory should be');
    const error = await rejection(store.save(profile('office'), false));
    expect(error).toMatchObject({ code: 'store' });
    expect(error.message).toContain(directory);
  });

  it('finds rights of others, and takes them away where it is told to', async () => {
    await store.save(profile('office'), false);
    expect(await checkProfileRights(directory, true)).toEqual([]);
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'office.json'), 0o644);
    expect(await checkProfileRights(directory, false)).toHaveLength(2);
    expect(mode(directory)).toBe('755');
    expect(await checkProfileRights(directory, true)).toHaveLength(2);
    expect(mode(directory)).toBe('700');
    expect(mode(join(directory, 'office.json'))).toBe('600');
    expect(await checkProfileRights(join(top, 'nowhere'), true)).toEqual([]);
  });
});
