// The data plane on real TUNs, keys installed by hand: two namespaces joined by a veth pair, every shape and encapsulation.
import { execFileSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { live } from './live.ts';
import { type Child, link, Namespace, skipped } from './net-namespace.ts';

const namespaces: Namespace[] = [];
afterEach(async () => {
  for (const made of namespaces.splice(0)) await made.remove();
});

interface Final {
  readonly counters: Readonly<Record<string, number>>;
  readonly io: Readonly<Record<string, number>>;
  readonly events: readonly { readonly kind: string; readonly name?: string; readonly mtu?: number | null }[];
}

interface Pair {
  readonly left: Namespace;
  readonly right: Namespace;
  readonly ends: readonly [Child, Child];
}

function namespace(label: string): Namespace {
  const made = new Namespace(`path${namespaces.length}${label}`);
  namespaces.push(made);
  return made;
}

function startEnd(
  where: Namespace,
  here: 1 | 2,
  outer: readonly [string, string],
  options: Record<string, unknown>,
): Child {
  return where.start({
    task: 'peer',
    initiator: here === 1,
    cipher: 'aes-gcm-16',
    port: 4500,
    local: outer[here - 1],
    remote: outer[2 - here],
    name: 'culv0',
    addresses: [`10.88.0.${here}/24`, `fd88::${here}/64`],
    ...options,
  });
}

async function startEnds(
  [left, right]: readonly [Namespace, Namespace],
  outer: readonly [string, string],
  options: Record<string, unknown>,
): Promise<Pair> {
  const ends = [startEnd(left, 1, outer, options), startEnd(right, 2, outer, options)] as const;
  for (const end of ends) await end.next();
  return { left, right, ends };
}

async function pair(options: Record<string, unknown>, outer: 4 | 6 = 4): Promise<Pair> {
  const [left, right] = [namespace('l'), namespace('r')];
  link(left, right, {
    left: ['192.168.9.1/24', 'fd09::1/64'],
    right: ['192.168.9.2/24', 'fd09::2/64'],
  });
  return startEnds([left, right], outer === 4 ? ['192.168.9.1', '192.168.9.2'] : ['fd09::1', 'fd09::2'], options);
}

async function finish({ ends }: Pair): Promise<[Final, Final]> {
  const finals: Final[] = [];
  for (const end of ends) {
    end.process.stdin?.end();
    finals.push(await end.next<Final>());
    await end.end();
  }
  return finals as [Final, Final];
}

function ping(from: Namespace, to: string, size: number, count: number): string {
  return from.run(`ping -i 0.01 -W 2 -c ${count} -s ${size} -M do ${to}`);
}

/** Sends `blocks` times 64 KiB of pseudo-random bytes by TCP; what arrives has the same hash. */
async function transfer(from: Namespace, to: Namespace, address: string, blocks: number): Promise<void> {
  const start = (where: Namespace, body: string) =>
    where.startScript(`const net = require('net'), { createHash, createCipheriv } = require('crypto');
      const hash = createHash('sha256'), say = (value) => console.log(JSON.stringify(value)); let length = 0; ${body}`);
  const receiving = start(
    to,
    `const server = net.createServer((c) => {
      c.on('data', (data) => { hash.update(data); length += data.length; });
      c.on('end', () => { say([length, hash.digest('hex')]); server.close(); c.end(); });
    }).listen(7000, '${address}', () => say('listening'));`,
  );
  await receiving.next();
  const sending = start(
    from,
    `const random = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
    const c = net.connect(7000, '${address}', async () => {
      for (let i = 0; i < ${blocks}; i++) {
        const data = random.update(Buffer.alloc(65536)); hash.update(data); length += data.length;
        if (!c.write(data)) await new Promise((resolve) => c.once('drain', resolve));
      }
      c.end(); say([length, hash.digest('hex')]);
    });`,
  );
  const [sent, received] = [await sending.next<[number, string]>(), await receiving.next<[number, string]>()];
  expect(sent[0]).toBe(blocks * 65_536);
  expect(received).toEqual(sent);
  await sending.end();
  await receiving.end();
}

const shapes = [
  { shape: 'gre-tunnel', raw: false, outer: 4 },
  { shape: 'gre-tunnel', raw: true, outer: 4 },
  { shape: 'gre-transport', raw: false, outer: 6 },
  { shape: 'gre-transport', raw: true, outer: 6 },
  { shape: 'esp-tunnel', raw: true, outer: 4 },
  { shape: 'esp-tunnel', raw: false, outer: 4 },
  { shape: 'gre-plain', raw: true, outer: 4 },
  { shape: 'gre-plain', raw: true, outer: 6 },
] as const;

live('the data plane on real TUNs', [skipped], () => {
  it.each(shapes)('$shape, raw $raw, IPv$outer outside', async ({ shape, raw, outer }) => {
    const cipher = outer === 4 ? 'aes-gcm-16' : 'chacha20-poly1305';
    // 1400 + headers of the widest shape over IPv6 stay within 1500; the GRE checksum is on for one of them.
    const offloads = outer === 4;
    const tunnel = await pair({ shape, raw, cipher, mtu: 1380, checksum: shape === 'gre-plain', offloads }, outer);
    const there = ping(tunnel.left, '10.88.0.2', 1352, 30);
    const back = ping(tunnel.right, 'fd88::1', 1332, 10);
    expect(() => ping(tunnel.left, '10.88.0.2', 1353, 1)).toThrow();
    const finals = await finish(tunnel);
    // The counters say where one was lost.
    expect(there, JSON.stringify(finals)).toContain('30 received, 0% packet loss');
    expect(back, JSON.stringify(finals)).toContain('10 received, 0% packet loss');
    for (const final of finals) {
      expect(final.counters.inPackets).toBe(40);
      expect(final.counters.outPackets).toBe(40);
      expect(final.io).toMatchObject({ sendDropped: 0, noPeer: 0, tunDropped: 0, noTun: 0, ikeDropped: 0 });
      expect(final.events.filter(({ kind }) => kind !== 'firstInbound' && kind !== 'note')).toEqual([]);
    }
  });

  it.each([
    { cipher: 'chacha20-poly1305', offloads: true },
    { cipher: 'aes-gcm-16', offloads: false },
  ])('carries 100 MB of TCP each way without a byte changed, offloads $offloads', async ({ cipher, offloads }) => {
    const tunnel = await pair({ shape: 'gre-tunnel', cipher, mtu: 1400, offloads, gro: offloads });
    await transfer(tunnel.left, tunnel.right, '10.88.0.2', 1600);
    await transfer(tunnel.right, tunnel.left, '10.88.0.1', 1600);
    for (const final of await finish(tunnel)) expect(final.counters.inAuthFailed ?? 0).toBe(0);
  });

  it.each([
    { outer: 4, addresses: ['192.168.9.1', '192.168.10.2'], raw: false },
    { outer: 6, addresses: ['fd09::1', 'fd10::2'], raw: true },
  ] as const)(
    'a router with a smaller MTU, IPv$outer: reported, and the tunnel goes on',
    async ({ addresses, raw }) => {
      const [left, router, right] = [namespace('l'), namespace('m'), namespace('r')];
      const ends = { left: ['192.168.9.1/24', 'fd09::1/64'], right: ['192.168.9.9/24', 'fd09::9/64'] };
      link(left, router, ends, ['eth0', 'eth0']);
      link(router, right, { left: ['192.168.10.9/24', 'fd10::9/64'], right: ['192.168.10.2/24', 'fd10::2/64'] }, [
        'eth1',
        'eth0',
      ]);
      router.run('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
      for (const [where, net] of [
        [left, '9'],
        [right, '10'],
      ] as const) {
        where.run(`ip route add default via 192.168.${net}.9`);
        where.run(`ip -6 route add default via fd${net === '9' ? '09' : '10'}::9`);
      }
      router.run('ip link set eth1 mtu 1300');
      right.run('ip link set eth0 mtu 1300');
      const tunnel = await startEnds([left, right], addresses, { shape: 'esp-tunnel', mtu: 1400, raw });
      // The first ones are lost with DF set and bring the news back; from then on the kernel fragments.
      tunnel.left.run('ping -i 0.05 -w 5 -c 1 -s 100 10.88.0.2');
      expect(() => ping(tunnel.left, '10.88.0.2', 1372, 1)).toThrow();
      expect(ping(tunnel.left, '10.88.0.2', 1372, 10)).toContain('10 received');
      const [first] = await finish(tunnel);
      expect(first.events).toContainEqual(expect.objectContaining({ kind: 'pathError', name: 'EMSGSIZE', mtu: 1300 }));
    },
  );

  it.each([
    { shape: 'gre-plain', raw: true },
    { shape: 'esp-tunnel', raw: false },
  ])('loses nothing to an ICMP error about an earlier datagram, $shape, raw $raw', async (options) => {
    const [left, right] = [namespace('l'), namespace('r')];
    link(left, right, { left: ['192.168.9.1/24'], right: ['192.168.9.2/24'] });
    const outer = ['192.168.9.1', '192.168.9.2'] as const;
    const first = startEnd(left, 1, outer, options);
    await first.next();
    // Nobody is there yet: protocol or port unreachable comes back, and waits for the next send.
    expect(() => ping(left, '10.88.0.2', 100, 1)).toThrow();
    const second = startEnd(right, 2, outer, options);
    await second.next();
    const said = ping(left, '10.88.0.2', 100, 10);
    const [final] = await finish({ left, right, ends: [first, second] });
    expect(said, JSON.stringify(final)).toContain('10 received, 0% packet loss');
    expect(final.events.some((event) => event.kind === 'pathError')).toBe(true);
    expect(final.io.sendDropped).toBe(0);
  });

  it('stops neither at an interface that is deleted nor at a link that is down', async () => {
    const tunnel = await pair({ shape: 'esp-tunnel' });
    tunnel.left.run('ip link set eth0 down');
    expect(() => ping(tunnel.left, '10.88.0.2', 100, 2)).toThrow();
    tunnel.left.run('ip link set eth0 up');
    expect(ping(tunnel.left, '10.88.0.2', 100, 3)).toContain('3 received');
    execFileSync('ip', ['-n', tunnel.left.name, 'link', 'del', 'culv0']);
    const [left] = await finish(tunnel);
    expect(left.events).toContainEqual(expect.objectContaining({ kind: 'pathError', name: 'ENETUNREACH' }));
    expect(left.events).toContainEqual(expect.objectContaining({ kind: 'pathError', name: 'ENODEV' }));
  });
});
