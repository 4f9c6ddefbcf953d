// Fetching a profile, from a real TLS server on loopback that stands for every public address: the resolver and the connection
// are the test's, everything between is real.
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FetchDeps, fetchProfile } from '../../main/daemon/fetch-profile.ts';
import { isInsideAddress, isInsideName } from '../../main/daemon/inside.ts';
import { type Made, make } from '../pki/authority.ts';

type Answer = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | 'endless';
};

let server: ReturnType<typeof createServer>;
let port: number;
let authority: Made;
/** By host and path. */
let pages: Record<string, Answer>;
let dns: Record<string, readonly string[]>;
let asked: string[];
let resolved: string[];
let dialled: string[];
let sockets: Set<Socket>;
/** Addresses where nobody answers. */
let dead: Set<string>;

beforeAll(async () => {
  const now = { from: Date.now() - 86_400_000, to: Date.now() + 86_400_000 };
  authority = await make({ subject: 'CN=Test Authority', ...now });
  const names = ['a.example', 'b.example', 'router.local', 'intranet'].map((value) => ({
    type: 'dns' as const,
    value,
  }));
  const addresses = ['10.0.0.1', '2001:db8::1'].map((value) => ({ type: 'ip' as const, value }));
  const leaf = await make({ subject: 'CN=a.example', issuer: authority, names: [...names, ...addresses], ...now });
  server = createServer(
    { key: leaf.key.export({ format: 'pem', type: 'pkcs8' }), cert: leaf.pem },
    (request, response) => {
      const page = `${request.headers.host}${request.url}`;
      asked.push(page);
      const { status = 200, headers = {}, body = '' } = pages[page] ?? { status: 404 };
      response.writeHead(status, headers);
      if (body !== 'endless') return void response.end(body);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  pages = {};
  dns = { 'a.example': ['192.0.2.1'], 'b.example': ['198.51.100.1', '2001:db8::2'] };
  asked = [];
  resolved = [];
  dialled = [];
  sockets = new Set();
  dead = new Set();
});

const fetchIt = (url: string, more: Partial<FetchDeps> = {}): Promise<string> =>
  fetchProfile(url, {
    resolve: async (name) => {
      resolved.push(name);
      const found = dns[name];
      if (!found) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
      return found;
    },
    connect: (address, wanted) =>
      new Promise((resolve, reject) => {
        dialled.push(`${address} ${wanted}`);
        if (dead.has(address)) return reject(new Error(`connect ECONNREFUSED ${address}`));
        const socket = connect({ host: '127.0.0.1', port });
        sockets.add(socket);
        socket.once('connect', () => resolve(socket));
      }),
    authorities: authority.pem,
    ...more,
  });
const to = (location: string): Answer => ({ status: 302, headers: { location } });
const refused = { code: 'profile/fetch', data: { field: 'url' } };

it('fetches over https, also behind redirections, each resolved once and connected where it was judged', async () => {
  pages = {
    'a.example/p?x=1': to('/q'),
    'a.example/q': to('https://b.example:8443/r'),
    'b.example:8443/r': { body: '{"culvert":1}' },
  };
  expect(await fetchIt('https://a.example/p?x=1')).toBe('{"culvert":1}');
  expect(resolved).toEqual(['a.example', 'a.example', 'b.example']);
  expect(dialled).toEqual(['192.0.2.1 443', '192.0.2.1 443', '198.51.100.1 8443']);
  expect([...sockets].every(({ destroyed }) => destroyed)).toBe(true);
});

it('asks nobody in the clear, nor by another way', async () => {
  pages = { 'a.example/p': to('http://a.example/q') };
  for (const url of ['http://a.example/p', 'file:///etc/shadow', 'nonsense', 'https://u:p@a.example/', ''])
    await expect(fetchIt(url), url).rejects.toMatchObject({ code: 'profile/url', data: { field: 'url' } });
  expect(dialled).toEqual([]);
  await expect(fetchIt('https://a.example/p')).rejects.toMatchObject({ code: 'profile/url' });
  expect(asked).toEqual(['a.example/p']);
});

it('takes a redirection to nonsense for a failure, not for a defect', async () => {
  for (const location of ['https://', 'http://[', 'https://a:99999/']) {
    pages = { 'a.example/p': to(location) };
    await expect(fetchIt('https://a.example/p'), location).rejects.toMatchObject(refused);
  }
});

it.each([
  [['10.0.0.1']],
  [['127.0.0.1']],
  [['169.254.169.254']],
  [['::1']],
  [['fd00::1']],
  [['::ffff:192.168.1.1']],
  [['64:ff9b::a00:1']],
  // One of several is enough: which one is connected to would be the stranger's choice.
  [['192.0.2.1', '192.168.1.1']],
  [['not an address']],
])('a public name does not lead inside: %j', async (addresses) => {
  dns['a.example'] = addresses;
  await expect(fetchIt('https://a.example/p')).rejects.toMatchObject(refused);
  expect(dialled).toEqual([]);
});

it('a name is not asked for again between judging and connecting', async () => {
  let answers = 0;
  pages = { 'a.example/p': { body: '{}' } };
  const resolve = async (): Promise<string[]> => (answers++ === 0 ? ['192.0.2.1'] : ['127.0.0.1']);
  expect(await fetchIt('https://a.example/p', { resolve })).toBe('{}');
  expect([answers, dialled]).toEqual([1, ['192.0.2.1 443']]);
  // And where a redirection asks for it again, it is judged again.
  answers = 0;
  pages = { 'a.example/p': to('/q'), 'a.example/q': { body: '{}' } };
  await expect(fetchIt('https://a.example/p', { resolve })).rejects.toMatchObject(refused);
  expect(asked.at(-1)).toBe('a.example/p');
});

it('is not led from outside into this computer or its networks', async () => {
  const hosts = [
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
  ];
  const others = [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    'nas.local',
    'git.internal',
    'router.home.arpa',
    'intranet',
  ];
  const six = ['[::1]', '[::]', '[fd00::1]', '[fe80::1]', '[::ffff:10.0.0.1]', '[2002:7f00:1::]', '[ff02::1]'];
  for (const host of [...hosts, ...others, ...six]) {
    pages = { 'a.example/p': to(`https://${host}/q`) };
    dialled = [];
    await expect(fetchIt('https://a.example/p'), host).rejects.toMatchObject(refused);
    expect(dialled, host).toHaveLength(1);
  }
});

it('whoever names a place inside means it, and may be sent on', async () => {
  pages = {
    '10.0.0.1/p': to('https://router.local/q'),
    'router.local/q': to('https://[2001:db8::1]/s'),
    '[2001:db8::1]/s': { body: '{}' },
    'intranet/p': { body: '{}' },
  };
  dns['router.local'] = ['192.168.0.1'];
  dns.intranet = ['10.7.7.7'];
  expect(await fetchIt('https://10.0.0.1/p')).toBe('{}');
  expect(dialled).toEqual(['10.0.0.1 443', '192.168.0.1 443', '2001:db8::1 443']);
  expect(await fetchIt('https://intranet/p')).toBe('{}');
});

it('tries one address after the other', async () => {
  pages = { 'b.example/p': { body: '{}' } };
  dead.add('198.51.100.1');
  expect(await fetchIt('https://b.example/p')).toBe('{}');
  expect(dialled).toEqual(['198.51.100.1 443', '2001:db8::2 443']);
  dead.add('2001:db8::2');
  await expect(fetchIt('https://b.example/p')).rejects.toThrow('ECONNREFUSED 2001:db8::2');
});

it('believes no certificate of another name, nor of an authority that nobody trusts', async () => {
  dns['c.example'] = ['192.0.2.3'];
  await expect(fetchIt('https://c.example/p')).rejects.toMatchObject(refused);
  const other = await make({ subject: 'CN=Other', from: Date.now() - 1000, to: Date.now() + 86_400_000 });
  await expect(fetchIt('https://a.example/p', { authorities: other.pem })).rejects.toMatchObject(refused);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    await expect(fetchIt('https://a.example/p', { authorities: other.pem })).rejects.toMatchObject(refused);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
  expect(asked).toEqual([]);
});

it('is bounded in size and in redirections', async () => {
  pages = {
    'a.example/long': { body: 'endless' },
    'a.example/round': to('/round'),
    'a.example/zip': { headers: { 'content-encoding': 'gzip' }, body: 'x' },
    'a.example/most': { body: 'x'.repeat(256 * 1024) },
  };
  await expect(fetchIt('https://a.example/long')).rejects.toThrow('longer than any profile');
  await expect(fetchIt('https://a.example/round')).rejects.toThrow('from one address to the next');
  expect(asked.filter((page) => page.endsWith('round'))).toHaveLength(4);
  await expect(fetchIt('https://a.example/zip')).rejects.toThrow('content coding');
  expect(await fetchIt('https://a.example/most')).toHaveLength(256 * 1024);
});

it('is bounded in time, wherever it hangs', async () => {
  const never = new Promise<never>(() => {});
  for (const hanging of [{ resolve: () => never }, { connect: () => never }]) {
    const patience = new AbortController();
    const fetching = expect(fetchIt('https://a.example/p', { ...hanging, signal: patience.signal })).rejects;
    patience.abort();
    await fetching.toThrow('did not answer within 15 s');
  }
  // A connection that comes too late is closed.
  const patience = new AbortController();
  let arrive: (socket: Socket) => void = () => {};
  const late = new Promise<Socket>((resolve) => {
    arrive = resolve;
  });
  let dialling: () => void = () => {};
  const dialled = new Promise<void>((resolve) => {
    dialling = resolve;
  });
  const connectLate = (): Promise<Socket> => {
    dialling();
    return late;
  };
  const fetching = fetchIt('https://a.example/p', { connect: connectLate, signal: patience.signal });
  await dialled;
  patience.abort();
  await expect(fetching).rejects.toMatchObject(refused);
  const socket = connect({ host: '127.0.0.1', port });
  arrive(socket);
  await expect.poll(() => socket.destroyed).toBe(true);
});

it('says what went wrong', async () => {
  await expect(fetchIt('https://a.example/none')).rejects.toThrow('404');
  await expect(fetchIt('https://c.example/p')).rejects.toThrow('ENOTFOUND');
  dns['c.example'] = [];
  await expect(fetchIt('https://c.example/p')).rejects.toThrow('the name has no address');
});

it.each(['8.8.8.8', '172.32.0.1', '192.0.2.1', '100.128.0.1', '2001:db8::1', '2606:4700::1111', '::ffff:8.8.8.8'])(
  '%s is outside',
  (address) => {
    expect(isInsideAddress(address)).toBe(false);
  },
);

it('knows the names that public DNS has not', () => {
  expect(['vpn.example.com', 'local.example', 'xlocal.example.'].map(isInsideName)).toEqual([false, false, false]);
  expect(['printer', 'x.local', 'home.arpa', 'a.INTERNAL.'].map(isInsideName)).toEqual([true, true, true, true]);
});
