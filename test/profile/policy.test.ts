import { describe, expect, it } from 'vitest';
import { overridden, relocked, renamed, restored } from '../../main/profile/edit.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { lockOn } from '../../main/profile/policy.ts';
import { formatPrefix } from '../../main/wire/address.ts';

const file = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    culvert: 1,
    name: 'office',
    gateway: { host: '192.0.2.1' },
    authentication: { method: 'psk', secret: 'correct horse battery staple' },
    tunnel: { shape: 'gre-tunnel' },
    gre: { address: ['10.88.0.2/24'] },
    routes: { include: ['10.0.0.0/8'], exclude: ['10.9.0.0/16'] },
    ...changes,
  });
const included = (text: string): readonly string[] => parseProfile(text).profile.routes.include.map(formatPrefix);

describe('choices over the words of a profile', () => {
  it('count instead of them, and are named', () => {
    const { profile } = parseProfile(
      file({ overrides: { routes: { include: ['172.16.0.0/12'], exclude: [] }, mtu: { value: 1300 } } }),
    );
    expect(profile.routes.include.map(formatPrefix)).toEqual(['172.16.0.0/12']);
    expect(profile.routes.exclude).toEqual([]);
    expect(profile.mtu.value).toBe(1300);
    expect(profile.policy?.own.routes.include.map(formatPrefix)).toEqual(['10.0.0.0/8']);
    expect(profile.policy?.own.mtu.value).toBeNull();
    expect(profile.policy?.changed).toEqual(['/routes/include', '/routes/exclude', '/mtu/value']);
  });

  it('make the tunnel full or split, and remember the networks', () => {
    const full = { overrides: { routes: { mode: 'full' } } };
    expect(included(file(full))).toEqual(['10.0.0.0/8', '0.0.0.0/0', '::/0']);
    expect(parseProfile(file(full)).profile.policy).toMatchObject({ mode: 'full', split: ['10.0.0.0/8'] });
    const everything = { routes: { include: ['0.0.0.0/0', '10.0.0.0/8'] } };
    expect(parseProfile(file(everything)).profile.policy?.mode).toBe('full');
    expect(included(file(everything))).toEqual(['10.0.0.0/8', '0.0.0.0/0']);
    expect(included(file({ ...everything, overrides: { routes: { mode: 'split' } } }))).toEqual(['10.0.0.0/8']);
  });

  it('do not count where they are locked', () => {
    const overrides = { routes: { mode: 'full', include: ['172.16.0.0/12'], exclude: [] }, mtu: { value: 1300 } };
    const { profile } = parseProfile(file({ locked: ['/routes'], lockedBy: 'IT', overrides }));
    expect(profile.routes.include.map(formatPrefix)).toEqual(['10.0.0.0/8']);
    expect(profile.routes.exclude.map(formatPrefix)).toEqual(['10.9.0.0/16']);
    expect(profile.mtu.value).toBe(1300);
    expect(profile.policy).toMatchObject({ lockedBy: 'IT', changed: ['/mtu/value'], mode: 'split' });
    expect(parseProfile(file({ locked: [''], overrides })).profile.policy?.changed).toEqual([]);
  });

  it('are checked like the profile itself', () => {
    const wrong = { overrides: { routes: { include: ['10.9.0.0/16'] } } };
    expect(() => parseProfile(file(wrong))).toThrow('/overrides/routes/exclude/0');
    expect(() => parseProfile(file({ overrides: { routes: { include: ['10.0.0.1/8'] } } }))).toThrow('10.0.0.0/8');
    expect(() => parseProfile(file({ overrides: { dns: [] } }))).toThrow('/overrides/dns');
    expect(() => parseProfile(file({ locked: ['routes'] }))).toThrow('/locked/0');
  });
});

describe('a change of a stored profile', () => {
  const stored = parseProfile(file());

  it('keeps everything else', () => {
    const changed = overridden(overridden(stored, 'mtu', { value: 1300 }), 'routes', { mode: 'full' });
    expect(JSON.parse(changed.text)).toEqual({
      ...(JSON.parse(stored.text) as object),
      overrides: { mtu: { value: 1300 }, routes: { mode: 'full' } },
    });
    expect(restored(restored(changed, 'mtu'), 'routes').text).toBe(stored.text);
    expect(overridden(changed, 'mtu', { value: undefined }).profile.mtu.value).toBeNull();
    expect(renamed(changed, 'home').profile).toMatchObject({ name: 'home', mtu: { value: 1300 } });
  });

  it('sets and takes locks', () => {
    const locked = relocked(stored, ['/mtu', ''], 'IT');
    expect(locked.profile.policy).toMatchObject({ locked: ['/mtu', ''], lockedBy: 'IT' });
    expect(relocked(locked, [], null).text).toBe(stored.text);
  });

  it('is refused where it makes no profile', () => {
    expect(() => renamed(stored, '../etc')).toThrow('/name');
    expect(() => overridden(stored, 'mtu', { value: 3 })).toThrow('/overrides/mtu/value');
  });
});

it('a lock covers what is in it and what it is in', () => {
  expect(lockOn(['/routes'], '/routes/include')).toBe('/routes');
  expect(lockOn(['/routes/include'], '/routes')).toBe('/routes/include');
  expect(lockOn([''], '/mtu/value')).toBe('');
  expect(lockOn(['/mtu/value'], '')).toBe('/mtu/value');
  expect(lockOn(['/mtu'], '/mtux')).toBeUndefined();
  expect(lockOn([], '')).toBeUndefined();
});
