// Profiles as administrators write them, right and wrong.
import { describe, expect, it } from 'vitest';
import { parseProfile } from '../../main/profile/parse.ts';
import { ProfileError, type ProfileProblem } from '../../main/profile/problem.ts';
import { formatAddress, formatPrefix } from '../../main/wire/address.ts';

const SECRET = 'correct horse battery staple';

type Json = Record<string, unknown>;

const office: Json = {
  culvert: 1,
  name: 'office',
  gateway: { host: 'vpn.example.com', identity: 'gw.example' },
  authentication: { method: 'psk', identity: 'alice@example.com', secret: SECRET },
  tunnel: { shape: 'gre-tunnel' },
  gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
  routes: { include: ['10.88.0.0/24'] },
};

const parse = (file: Json) => parseProfile(JSON.stringify(file));

/** The problems of a file that has some. */
function problems(file: Json | string): readonly ProfileProblem[] {
  try {
    parseProfile(typeof file === 'string' ? file : JSON.stringify(file));
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    return error.problems;
  }
  throw new Error('the profile was accepted');
}

/** `office` with the value at a pointer replaced; undefined removes it. */
function changed(pointer: string, value: unknown, from: Json = office): Json {
  const copy = structuredClone(from);
  const path = pointer.split('/').slice(1);
  const last = path.pop() as string;
  let at = copy;
  for (const key of path) {
    at[key] ??= {};
    at = at[key] as Json;
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

describe('a right profile', () => {
  it('becomes bytes, with every default filled in', () => {
    const { profile, warnings } = parse(office);
    expect(warnings).toEqual([]);
    expect(profile.gateway).toEqual({ host: 'vpn.example.com', port: 500, nattPort: 4500, identity: 'gw.example' });
    expect(Buffer.from(profile.authentication.secret).toString()).toBe(SECRET);
    expect(profile.tunnel).toMatchObject({ shape: 'gre-tunnel', encapsulation: 'udp', requestAddresses: [4] });
    expect(profile.tunnel).toMatchObject({ replayWindow: 1024, remoteSelectors: null, anyProtocol: false });
    expect(profile.gre?.address.map(formatPrefix)).toEqual(['10.88.0.2/24']);
    expect(formatAddress(profile.gre!.remote!)).toBe('10.77.0.1');
    expect(profile.gre).toMatchObject({ local: null, key: null, checksum: false, sequence: false });
    expect(profile.routes.include.map(formatPrefix)).toEqual(['10.88.0.0/24']);
    expect(profile.mtu).toEqual({ value: null, path: 1500, mss: null, copyDscp: false });
    expect(profile.proposals.ike.length).toBeGreaterThan(0);
    expect(profile.timing).toEqual({ livenessSeconds: 30, keepaliveSeconds: 20, connectSeconds: 30 });
  });
});

describe('a profile with mistakes', () => {
  it('names all of them at once', () => {
    const file = { ...changed('/gateway/prot', 500), rotes: {}, name: 'my office' };
    expect(problems(file).map(({ pointer, suggestion }) => [pointer, suggestion])).toEqual([
      ['/name', undefined],
      ['/gateway/prot', '/gateway/port'],
      ['/rotes', '/routes'],
    ]);
  });
});
