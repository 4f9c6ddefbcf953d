// Profiles as administrators write them, right and wrong.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FIELDS } from '../../main/profile/fields.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { formatProblem, ProfileError, type ProfileProblem } from '../../main/profile/problem.ts';
import { FILE } from '../../main/profile/schema.ts';
import { formatAddress, formatPrefix } from '../../main/wire/address.ts';
import { textsOf } from '../words/texts.ts';

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
    expect(profile.gateway).toMatchObject({
      host: 'vpn.example.com',
      port: 500,
      nattPort: 4500,
      tcp: 'fallback',
      tcpPort: 4500,
      identity: 'gw.example',
    });
    expect(Buffer.from(profile.authentication.secret).toString()).toBe(SECRET);
    expect(profile.tunnel).toMatchObject({ shape: 'gre-tunnel', encapsulation: 'udp', requestAddresses: [4] });
    expect(profile.tunnel).toMatchObject({ replayWindow: 1024, remoteSelectors: null, anyProtocol: false });
    expect(profile.gre?.address.map(formatPrefix)).toEqual(['10.88.0.2/24']);
    expect(formatAddress(profile.gre!.remote!)).toBe('10.77.0.1');
    expect(profile.gre).toMatchObject({ local: null, key: null, checksum: false, sequence: false });
    expect(profile.routes.include.map(formatPrefix)).toEqual(['10.88.0.0/24']);
    expect(profile.mtu).toEqual({ value: null, path: 1500, mss: null, copyDscp: false, outerDf: 'set' });
    expect(profile.proposals.ike.length).toBeGreaterThan(0);
    expect(profile.timing).toEqual({
      livenessSeconds: 30,
      keepaliveSeconds: 20,
      connectSeconds: 30,
      rekeySeconds: 3600,
      ikeRekeySeconds: 14_400,
      reauthSeconds: 0,
      rekeyBytes: null,
      rekeyPackets: null,
    });
  });
});

describe('defaults that follow the shape', () => {
  const esp: Json = { ...office, tunnel: { shape: 'esp-tunnel' } };
  delete esp.gre;

  it.each([
    ['gre-tunnel', office, [4]],
    ['gre-tunnel, an IPv6 endpoint of GRE', changed('/gre/remote', 'fd00::1'), [6]],
    ['gre-tunnel, its own source of GRE', changed('/gre/local', '10.99.0.7'), []],
    ['gre-tunnel, gateway by IPv6 address', changed('/gre/remote', null, changed('/gateway/host', '2001:db8::1')), [6]],
    ['gre-transport', changed('/gre/remote', undefined, changed('/tunnel/shape', 'gre-transport')), []],
    ['esp-tunnel', esp, [4]],
    ['esp-tunnel, both families', changed('/routes/include', ['10.0.0.0/8', '::/0'], esp), [4, 6]],
    ['esp-tunnel, IPv6 alone', changed('/routes/include', ['::/0'], esp), [6]],
    ['esp-tunnel, whatever the gateway says', changed('/routes', { fromGateway: true }, esp), [4]],
    ['said otherwise', changed('/tunnel/requestAddresses', [6, 4]), [6, 4]],
  ])('%s', (_name, file, families) => {
    expect(parse(file).profile.tunnel.requestAddresses).toEqual(families);
  });

  it('encapsulates tunnel mode in UDP, transport mode only behind a NAT', () => {
    expect(parse(office).profile.tunnel.encapsulation).toBe('udp');
    expect(parse(esp).profile.tunnel.encapsulation).toBe('udp');
    const transport = changed('/gre/remote', undefined, changed('/tunnel/shape', 'gre-transport'));
    expect(parse(transport).profile.tunnel.encapsulation).toBe('auto');
  });

  it('takes plain GRE without authentication, and shouts', () => {
    const { authentication: _, ...rest } = office;
    const file = { ...rest, tunnel: { shape: 'gre-plain' }, gre: { address: ['10.88.0.2/24'], key: 7 } };
    const { profile, warnings } = parse({ ...file, gateway: { host: '192.0.2.1' } });
    expect(profile.authentication.secret).toHaveLength(0);
    expect(profile.tunnel.encapsulation).toBe('auto');
    expect(profile.proposals).toEqual({ ike: [], esp: [] });
    expect(warnings.map(({ code }) => code)).toEqual(['profile.plain']);
  });
});

describe('a profile with one mistake', () => {
  // pointer changed, value put there, what is said; the problem is at the same place unless a fourth column says where.
  const mistakes: readonly [at: string, value: unknown, says: RegExp, pointer?: string][] = [
    ['/culvert', undefined, /^\/culvert: is missing.*Example: 1$/],
    ['/culvert', '1', /^\/culvert: "1" does not belong here\. Expected the version.*the number 1/],
    ['/culvert', 0, /^\/culvert: 0 does not belong here/],
    ['/culvert', 2, /newer version of Culvert, which reads format 1/],
    ['/name', undefined, /is missing/],
    ['/name', 'a/b', /cannot be the name/],
    ['/name', 7, /7 does not belong here/],
    ['/gateway', undefined, /is missing.*"host"/],
    ['/gateway', 'vpn.example.com', /an object/],
    ['/gateway/host', undefined, /is missing.*host name/],
    ['/gateway/host', 'vpn.example.com:500', /ports have keys of their own/],
    ['/gateway/hostname', 'x', /Did you mean \/gateway\/host\?/],
    ['/gateway/port', 0, /1 to 65535/],
    ['/gateway/port', 65536, /1 to 65535/],
    ['/gateway/port', '500', /"500" does not belong here/],
    ['/gateway/port', 500.5, /1 to 65535/],
    ['/gateway/natPort', 4500, /Did you mean \/gateway\/nattPort\?/],
    ['/gateway/identity', '%any', /null/],
    ['/routes/includes', [], /Did you mean \/routes\/include\?/],
    ['/authentication', undefined, /is missing/],
    ['/authentication', [], /does not belong here/],
    ['/authentication/method', undefined, /is missing.*"psk"/],
    ['/authentication/method', 'xauth', /"psk"/],
    ['/authentication/secret', undefined, /is missing/],
    ['/authentication/secret', '', /is empty/],
    ['/authentication/secret', 5, /neither text nor an object/],
    ['/authentication/secret', {}, /exactly one of/],
    ['/authentication/secret', { hex: 'abc' }, /hexadecimal/, '/authentication/secret/hex'],
    ['/authentication/secret', { base64: '§§' }, /base64/, '/authentication/secret/base64'],
    [
      '/authentication/secret',
      { base46: 'AAAA' },
      /Did you mean \/authentication\/secret\/base64/,
      '/authentication/secret/base46',
    ],
    ['/authentication/secret', { hex: 'ab', base64: 'AAAA' }, /exactly one of/],
    ['/authentication/secret', { file: 'x' }, /only read by `culvert import`/, '/authentication/secret/file'],
    ['/authentication/password', 'x', /not a key/],
    ['/tunnel', undefined, /is missing/],
    ['/tunnel/shape', undefined, /is missing.*"gre-tunnel"/],
    ['/tunnel/shape', 'gre', /one of "gre-tunnel"/],
    ['/tunnel/encapsulation', 'tcp', /"udp"/],
    ['/tunnel/requestAddresses', [4, 4], /twice/],
    ['/tunnel/requestAddresses', [5], /4 or 6/, '/tunnel/requestAddresses/0'],
    ['/tunnel/replayWindow', 100, /multiple of 64/],
    ['/tunnel/replayWindow', 32, /multiple of 64/],
    ['/tunnel/replayWindow', 8192, /multiple of 64/],
    ['/tunnel/interfaceName', 'a-name-that-is-too-long', /15/],
    ['/tunnel/remoteSelectors', [], /list of networks/],
    ['/tunnel/remoteSelectors', ['10.78.0.0/16'], /does not cover 10\.77\.0\.1/],
    ['/tunnel/anyProtocol', 1, /true or false/],
    ['/gre', undefined, /is missing: the shape "gre-tunnel" needs it/],
    ['/gre/address', '10.88.0.2/24', /a list of addresses/],
    ['/gre/address', ['10.88.0.0/24'], /network itself/, '/gre/address/0'],
    ['/gre/local', '10.77.0.1', /same as \/gre\/remote/],
    ['/gre/local', 'fd00::7', /different families/],
    ['/gre/key', -1, /0 to 4294967295/],
    ['/gre/key', 4294967296, /0 to 4294967295/],
    ['/gre/key', '42', /0 to 4294967295/],
    ['/gre/kye', 42, /Did you mean \/gre\/key\?/],
    ['/gre/chekcsum', true, /Did you mean \/gre\/checksum\?/],
    ['/rotes', {}, /Did you mean \/routes\?/],
    ['/key', 42, /Did you mean \/gre\/key\?/],
    ['/secret', 'x', /Did you mean \/authentication\/secret\?/],
    ['/nonsense', 1, /Expected one of culvert, name, gateway/],
    ['/routes/include', ['10.1.0.0/8'], /did you mean 10\.0\.0\.0\/8/, '/routes/include/0'],
    ['/routes/include', Array.from({ length: 61 }, (_, i) => `10.${i}.0.0/16`), /list of networks/],
    ['/routes/exclude', ['10.88.0.0/24'], /\/routes\/include\/0 sends through the tunnel/, '/routes/exclude/0'],
    ['/routes/exclude', [null], /CIDR/, '/routes/exclude/0'],
    ['/routes/allowLAN', true, /Did you mean \/routes\/allowLan\?/],
    ['/mtu', 1400, /an object: packet sizes/],
    ['/mtu', { value: 575 }, /576 to 8192/, '/mtu/value'],
    ['/mtu', { value: 8193 }, /576 to 8192/, '/mtu/value'],
    ['/mtu', { value: 1500 }, /must have room for the headers/, '/mtu/value'],
    ['/mtu', { path: 68 }, /576 to 8192/, '/mtu/path'],
    ['/mtu', { mss: 100 }, /216 to 8152/, '/mtu/mss'],
    ['/proposals', { ike: [] }, /list of proposals/, '/proposals/ike'],
    ['/proposals', { ike: ['aes256gcm16'] }, /names no key exchange|no PRF/, '/proposals/ike/0'],
    ['/proposals', { esp: ['aes256'] }, /cannot be used/, '/proposals/esp/0'],
    ['/proposals', { esp: 'aes256gcm16' }, /list of proposals/, '/proposals/esp'],
    ['/timing', { livenessSeconds: 0.5 }, /0: never/, '/timing/livenessSeconds'],
    ['/timing', { keepaliveSeconds: 301 }, /1 to 300/, '/timing/keepaliveSeconds'],
    ['/timing', { connectSeconds: 0 }, /1 to 600/, '/timing/connectSeconds'],
    ['/timing', { rekeySeconds: 4 }, /5 to 2592000/, '/timing/rekeySeconds'],
    ['/timing', { ikeRekeySeconds: 2_592_001 }, /5 to 2592000/, '/timing/ikeRekeySeconds'],
    ['/timing', { reauthSeconds: -1 }, /only when the gateway asks/, '/timing/reauthSeconds'],
    ['/timing', { rekeyBytes: 65_535 }, /65536 or more/, '/timing/rekeyBytes'],
    ['/timing', { rekeyPackets: 1.5 }, /100 or more/, '/timing/rekeyPackets'],
    ['/timing', { connectSecond: 9 }, /Did you mean \/timing\/connectSeconds\?/, '/timing/connectSecond'],
  ];

  it.each(mistakes)('%s = %j', (...[at, value, says, pointer = at]) => {
    const found = problems(changed(at, value));
    expect(found.map((problem) => problem.pointer)).toEqual([pointer]);
    expect(formatProblem(found[0]!)).toMatch(says);
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

  it('reports mistakes in one section beside conflicts in others', () => {
    const file = changed(
      '/gateway/port',
      'x',
      changed('/routes/exclude', ['10.88.0.0/24'], changed('/gre/local', 'fd00::7')),
    );
    expect(problems(file).map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/gateway/port', 'invalid'],
      ['/gre/local', 'conflict'],
      ['/routes/exclude/0', 'conflict'],
    ]);
  });

  it('tells what does not go with the shape', () => {
    const places = (shape: string, extra: Json = {}): readonly string[] =>
      problems({ ...changed('/tunnel/shape', shape), ...extra }).map((problem) => problem.pointer);
    expect(places('esp-tunnel')).toEqual(['/gre']);
    expect(places('gre-transport')).toEqual(['/gre/remote']);
    expect(places('gre-transport', { gre: {} })).toEqual(['/gre/address']);
    expect(
      places('gre-plain', {
        tunnel: { shape: 'gre-plain', encapsulation: 'udp', requestAddresses: [4], remoteSelectors: ['10.0.0.0/8'] },
        gre: { address: ['10.88.0.2/24'] },
      }),
    ).toEqual(['/tunnel/requestAddresses', '/tunnel/remoteSelectors', '/tunnel/encapsulation']);
    // The virtual address serves where one is requested.
    expect(parse({ ...changed('/tunnel/shape', 'gre-tunnel'), gre: {} }).profile.gre?.address).toEqual([]);
  });

  it.each([
    ['not JSON', '{"a": }', /line 1, column 7/],
    ['a list', '[]', /not an object/],
    ['nothing', '', /not JSON/],
    ['null', 'null', /not an object/],
    ['far too much', ' '.repeat(300_000), /longer than/],
  ])('refuses %s', (_name, text, says) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: 'syntax', pointer: '' });
    expect(found[0]?.message).toMatch(says);
  });

  it('refuses a key that stands twice, and __proto__', () => {
    const text = JSON.stringify(office);
    expect(problems(text.replace('"name":', '"name":"other","name":'))).toMatchObject([{ pointer: '/name' }]);
    expect(problems(text.replace('"name":', '"__proto__":{"name":"x"},"name":'))).toMatchObject([
      { code: 'unknown-key', pointer: '/__proto__' },
    ]);
  });

  it('takes a byte order mark', () => {
    expect(parseProfile(`\uFEFF${JSON.stringify(office)}`).profile.name).toBe('office');
  });
});

describe('warnings', () => {
  const warningsOf = (file: Json): string => textsOf(parse(file).warnings);
  it.each([
    ['sequence numbers', changed('/gre/sequence', true), /RFC 2890/],
    ['a short secret', changed('/authentication/secret', 'hunter2'), /only 7 bytes/],
    ['an exclusion without effect', changed('/routes/exclude', ['172.16.0.0/12']), /no effect/],
    ['an exclusion around an inclusion', changed('/routes/exclude', ['10.0.0.0/8']), /more specific/],
    ['a route twice', changed('/routes/include', ['10.0.0.0/8', '10.0.0.0/8']), /\/routes\/include\/1 repeats/],
    ['an MTU that does not fit', changed('/mtu', { value: 1420 }), /at most 1414 fits/],
    [
      'the customary 1400 with AES-CBC',
      { ...office, proposals: { esp: ['aes256-sha256'] }, mtu: { value: 1400 } },
      /at most 1398 fits/,
    ],
    [
      'SHA-1 for ESP',
      { ...office, proposals: { policy: 'legacy', esp: ['aes256-sha256', 'aes128-sha1'] } },
      /\/proposals\/esp\/1 .*SHA-1/,
    ],
    [
      'SHA-1 for IKE',
      { ...office, proposals: { policy: 'legacy', ike: ['aes128-sha1-modp2048'] } },
      /\/proposals\/ike\/0 .*SHA-1/,
    ],
    [
      'a group of 1,024 bits',
      { ...office, proposals: { policy: 'legacy', ike: ['aes128-sha256-modp1024'] } },
      /\/proposals\/ike\/0 .*MODP-1024 \(group 2\)/,
    ],
    [
      'the legacy policy alone',
      { ...office, proposals: { policy: 'legacy' } },
      /policy “legacy” allows, for ESP, SHA-1/,
    ],
    ['an MTU too small for IPv6', changed('/mtu', { value: 1200 }), /no IPv6/],
    ['a path too narrow for IPv6', changed('/mtu', { path: 1300 }), /no IPv6/],
    ['an MSS that does not fit', changed('/mtu', { mss: 1400 }), /only 1374 fits/],
    ['nothing routed', { ...office, gre: undefined, tunnel: { shape: 'esp-tunnel' }, routes: undefined }, /No network/],
    [
      'any protocol where it is so anyway',
      { ...office, gre: undefined, tunnel: { shape: 'esp-tunnel', anyProtocol: true } },
      /no effect/,
    ],
  ])('%s', (_name, file, says) => {
    expect(warningsOf(file)).toMatch(says);
  });

  it('is silent about a good profile', () => {
    expect(warningsOf({ ...office, mtu: { value: 1414, mss: 1374 } })).toBe('');
    expect(warningsOf(changed('/routes/exclude', ['10.88.0.128/25']))).toBe('');
    expect(warningsOf({ ...office, proposals: { esp: ['aes256-sha256'] }, mtu: { value: 1398 } })).toBe('');
  });
});

describe('what is weak', () => {
  it('is refused by default, with how to ask for it', () => {
    const file = {
      ...office,
      proposals: { ike: ['aes256-sha256-ecp256', 'aes128-sha1-modp1024'], esp: ['aes128-sha1'] },
    };
    const found = problems(file);
    expect(found.map(({ pointer }) => pointer)).toEqual(['/proposals/ike/1', '/proposals/esp/0']);
    for (const { message } of found) expect(message).toMatch(/set \/proposals\/policy to "legacy"/);
  });

  it('comes last where the legacy policy names no proposals', () => {
    const { proposals } = parse({ ...office, proposals: { policy: 'legacy' } }).profile;
    expect(proposals.ike[0]).toContain('aes256gcm16');
    expect(proposals.ike.at(-1)).toContain('sha1-modp2048-modp1536-modp1024');
    expect(proposals.esp.at(-1)).toContain('sha1');
  });
});

describe('the table of fields', () => {
  it('has exactly the keys of the schema', () => {
    const found: string[] = [];
    const walk = (schema: Json, pointer: string): void => {
      if (pointer !== '') found.push(pointer);
      for (const [key, value] of Object.entries((schema.properties ?? {}) as Record<string, Json>))
        walk(value, `${pointer}/${key}`);
      if (schema.items) walk(schema.items as Json, `${pointer}/*`);
      for (const choice of (schema.anyOf ?? []) as Json[]) {
        if (choice.items) walk(choice.items as Json, `${pointer}/*`);
      }
    };
    walk(z.toJSONSchema(FILE, { unrepresentable: 'any' }) as Json, '');
    const secret = ['base64', 'hex', 'file'].map((form) => `/authentication/secret/${form}`);
    expect([...found, ...secret].sort()).toEqual(Object.keys(FIELDS).sort());
  });

  it('gives examples that are JSON, but for ellipses', () => {
    for (const [pointer, { example }] of Object.entries(FIELDS))
      expect(() => JSON.parse(example), pointer).not.toThrow();
  });
});
