// TUN, routes and sockets against a real kernel, in namespaces of this test's own.
import { spawn } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { live } from './live.ts';
import { type Child, link, Namespace, skipped } from './net-namespace.ts';

const namespaces: Namespace[] = [];
function namespace(label: string): Namespace {
  const made = new Namespace(`${label}${namespaces.length}`);
  namespaces.push(made);
  return made;
}
afterEach(async () => {
  for (const made of namespaces.splice(0)) await made.remove();
});

/** A host on 192.168.7.2/24 whose only neighbour, 192.168.7.1, is its gateway to everywhere. */
function host(): { client: Namespace; gateway: Namespace } {
  const [client, gateway] = [namespace('client'), namespace('gateway')];
  link(client, gateway, {
    left: ['192.168.7.2/24', '2001:db8:7::2/64', 'fd07::2/64'],
    right: ['192.168.7.1/24', '203.0.113.9/32', '2001:db8:7::1/64', 'fd07::1/64'],
  });
  client.run('ip route add default via 192.168.7.1');
  client.run('ip -6 route add default via 2001:db8:7::1');
  return { client, gateway };
}

const FULL = {
  addresses: ['10.88.0.2/24', 'fd00:88::2/64'],
  include: ['0.0.0.0/0'],
  exclude: ['198.51.100.0/24'],
  allowLan: true,
  unreachable: ['::/0'],
};

async function hold(client: Namespace, options: Record<string, unknown>): Promise<{ child: Child; name: string }> {
  const child = client.start({ task: 'hold', ...options });
  const { name } = await child.next<{ name: string }>();
  return { child, name };
}

live('the operating system', [skipped], () => {
  it('routes everything into the tunnel but what is marked, excluded or attached', async () => {
    const { client } = host();
    const before = client.snapshot();
    const { child, name } = await hold(client, FULL);
    const get = (what: string) => client.run(`ip route get ${what}`);
    expect(get('8.8.8.8')).toContain(`dev ${name} table 4750 src 10.88.0.2`);
    expect(get('203.0.113.9')).toContain(`dev ${name}`);
    expect(get('203.0.113.9 mark 0x4750')).toContain('via 192.168.7.1 dev eth0');
    expect(get('198.51.100.7')).toContain('via 192.168.7.1 dev eth0');
    expect(get('192.168.7.1')).toContain('dev eth0');
    expect(get('127.0.0.1')).toContain('dev lo');
    expect(() => get('2001:db8:ffff::1')).toThrow('No route to host');
    expect(get('2001:db8:ffff::1 mark 0x4750')).toContain('via 2001:db8:7::1 dev eth0');
    // Attached, but public: a network that claims it does not get it in the clear.
    expect(() => get('2001:db8:7::1')).toThrow('No route to host');
    expect(get('fd07::1')).toContain('dev eth0');
    expect(get('fe80::9 oif eth0')).toContain('dev eth0');
    await child.end();
    expect(client.snapshot()).toBe(before);
  });

  it('refuses what is meant for a TUN that lost its addresses or is gone, and lets nothing out', async () => {
    const { client } = host();
    const before = client.snapshot();
    const { child, name } = await hold(client, { ...FULL, include: ['0.0.0.0/0', '::/0'], unreachable: [] });
    const ways = () =>
      ['8.8.8.8', '2001:db8:ffff::1'].map((to) => {
        try {
          return client.run(`ip route get ${to}`);
        } catch (error) {
          return String(error);
        }
      });
    expect(ways()).toEqual([expect.stringContaining(`dev ${name}`), expect.stringContaining(`dev ${name}`)]);
    client.run(`ip address flush dev ${name}`);
    expect(ways()[0]).toMatch(/No route to host/);
    client.run(`ip link set dev ${name} mtu 1000`);
    expect(ways()[1]).toMatch(/No route to host/);
    client.run(`ip link del ${name}`);
    for (const way of ways()) expect(way).toMatch(/No route to host/);
    await child.end();
    expect(client.snapshot()).toBe(before);
  });

  it('leaves nothing after kill -9 and cleanUp', async () => {
    const { client } = host();
    client.run('sysctl -qw net.ipv4.conf.eth0.rp_filter=1');
    const before = client.snapshot();
    const { child, name } = await hold(client, FULL);
    expect(client.run('sysctl -n net.ipv4.conf.eth0.rp_filter').trim()).toBe('2');
    await child.kill();
    // The TUN is gone with its process; what was meant for it is refused, and what was excluded or marked is not.
    expect(client.run('ip -o link show')).not.toContain(name);
    expect(() => client.run('ip route get 8.8.8.8')).toThrow('No route to host');
    expect(client.run('ip route get 198.51.100.7')).toContain('dev eth0');
    expect(client.run('ip route get 8.8.8.8 mark 0x4750')).toContain('dev eth0');
    expect(() => client.run('ip route get 2001:db8:ffff::1')).toThrow('No route to host');
    expect(client.snapshot()).not.toBe(before);

    const cleaner = client.start({ task: 'cleanUp' });
    expect(await cleaner.next()).toEqual([
      'IPv4 rule for table 4750',
      'reverse-path filter of eth0 set back to 1',
      '3 IPv4 routes in table 4750',
      'IPv6 rule for table 4750',
      '3 IPv6 routes in table 4750',
    ]);
    await cleaner.end();
    expect(client.snapshot()).toBe(before);
    const again = client.start({ task: 'cleanUp' });
    expect(await again.next()).toEqual([]);
    await again.end();
  });

  it('lets the gateway’s answers in through a strict reverse-path filter', async () => {
    const { client, gateway } = host();
    client.run('sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.all.rp_filter=1');
    const echo = spawn('ip', [
      ...['netns', 'exec', gateway.name, process.execPath, '-e'],
      `const s = require('dgram').createSocket('udp4'); s.on('message', (m, r) => s.send(m, r.port, r.address));
       s.bind(500, '203.0.113.9', () => console.log('ready'));`,
    ]);
    try {
      await new Promise((resolve) => echo.stdout.once('data', resolve));
      const child = client.start({ task: 'marked', ...FULL, remote: '203.0.113.9', port: 500 });
      expect(await child.next()).toEqual({ echoed: [1, 2, 3], source: '192.168.7.2', unmarked: '10.88.0.2' });
      await child.end();
    } finally {
      echo.kill('SIGKILL');
    }
  });

  it('makes MTU and addresses as desired, and only what differs', async () => {
    const only = namespace('tun');
    const child = only.start({ task: 'reconfigure', name: 'culv7', mtu: 1400, addresses: ['10.88.0.2/24'] });
    expect(await child.next()).toEqual({ name: 'culv7' });
    const show = () => {
      const text = only.run('ip -o address show dev culv7');
      return {
        mtu: /mtu (\d+)/.exec(only.run('ip -o link show culv7'))?.[1],
        addresses: [...text.matchAll(/inet6? (\S+)/g)].map((m) => m[1]),
      };
    };
    expect(show()).toEqual({ mtu: '1400', addresses: ['10.88.0.2/24'] });
    const step = async (mtu: number, addresses: string[]) => {
      child.write({ mtu, addresses });
      return child.next<{ code: string } | null>();
    };
    // The old primary takes its secondary along when it goes: the second look puts that back.
    expect(await step(1380, ['10.88.0.2/24', '10.88.0.3/24', 'fd00::2/64'])).toBeNull();
    expect(await step(1380, ['10.88.0.3/24', 'fd00::2/64'])).toBeNull();
    expect(show()).toEqual({ mtu: '1380', addresses: ['10.88.0.3/24', 'fd00::2/64'] });
    expect(await step(1200, ['fd00::2/64'])).toMatchObject({ code: 'unsupported' });
    expect(show()).toEqual({ mtu: '1380', addresses: ['10.88.0.3/24', 'fd00::2/64'] });
    expect(await step(1200, ['10.88.0.3/24'])).toBeNull();
    expect(show()).toEqual({ mtu: '1200', addresses: ['10.88.0.3/24'] });
    expect(await step(1380, ['10.88.0.3/24', 'fd00::2/64'])).toBeNull();
    await child.end();
    expect(only.run('ip -o link show')).not.toContain('culv7');
  });

  it('names the cause where there is no TUN to be had', async () => {
    const only = namespace('deny');
    const taken = only.start({ task: 'tun', name: 'culv8', twice: true });
    expect(await taken.next()).toMatchObject([{ name: 'culv8' }, { code: 'name-taken' }]);
    await taken.end();
    const lo = only.start({ task: 'tun', name: 'lo' });
    expect(await lo.next()).toMatchObject([{ code: 'name-taken' }, null]);
    await lo.end();
    const long = only.start({ task: 'tun', name: 'a-name-of-16-byte' });
    expect(await long.next()).toMatchObject([{ code: 'unsupported' }, null]);
    await long.end();
    const powerless = only.start({ task: 'tun' }, ['setpriv', '--bounding-set=-all', '--inh-caps=-all']);
    expect(await powerless.next()).toMatchObject([{ code: 'no-permission', errno: 'EPERM' }, null]);
    await powerless.end();
    const hidden = only.start({ task: 'tun' }, [
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs none /dev/net && exec "$@"',
      'sh',
    ]);
    expect(await hidden.next()).toMatchObject([{ code: 'no-tun-device', errno: 'ENOENT' }, null]);
    await hidden.end();
  });
});
