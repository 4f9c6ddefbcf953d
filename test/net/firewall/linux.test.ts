// Transcripts: what nftables would be told.
import { describe, expect, it } from 'vitest';
import { NetError } from '../../../main/net/error.ts';
import type { Firewall } from '../../../main/net/firewall/api.ts';
import { guardedRoutes } from '../../../main/net/firewall/guarded-routes.ts';
import { linuxFirewall } from '../../../main/net/firewall/linux.ts';
import type { DesiredRoutes } from '../../../main/net/route/api.ts';
import { fakeRouteTable } from '../../../main/net/route/fake.ts';
import { type Answer, recordingRunner } from '../../../main/net/runner.fake.ts';
import { parsePrefix } from '../../../main/wire/address.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);
const desired = (fields: Partial<DesiredRoutes> = {}): DesiredRoutes => ({
  interfaceName: 'tun0',
  include: prefixes('0.0.0.0/0'),
  exclude: [],
  allowLan: false,
  unreachable: prefixes('::/0'),
  ...fields,
});

/** On 192.168.7.0/24 behind eth0, the tunnel with one address of each family. */
function host(answer: (line: string) => Answer | undefined = () => undefined) {
  const runner = recordingRunner((line) => {
    const given = answer(line);
    if (given !== undefined) return given;
    if (line.includes('-4 route show table main'))
      return JSON.stringify([
        { dst: 'default', gateway: '192.168.7.1', dev: 'eth0' },
        { dst: '192.168.7.0/24', dev: 'eth0' },
      ]);
    if (line.includes('route show')) return '[]';
    if (line.includes('address show'))
      return JSON.stringify([
        { ifname: 'eth0', addr_info: [{ local: '192.168.7.2' }, { local: 'fe80::2' }] },
        { ifname: 'tun0', addr_info: [{ local: '10.88.0.2' }, { local: 'fd00::2' }, { local: 'fe80::1' }] },
      ]);
    return undefined;
  });
  const nft = () => runner.transcript.splice(0).filter((line) => !line.startsWith('ip '));
  return { runner, firewall: linuxFirewall(runner), nft };
}

const OUT = (name = 'tun0') => [
  '  add table inet culvert',
  '  delete table inet culvert',
  '  table inet culvert {',
  '  chain out {',
  '  type filter hook output priority filter; policy accept;',
  '  meta mark 18256 accept',
  `  oifname { "lo", "${name}" } accept`,
  '  udp sport 68 udp dport 67 accept',
  '  udp sport 546 udp dport 547 accept',
  '  meta l4proto igmp accept',
  '  icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept',
  '  icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } accept',
];
const IN = [
  '  }',
  '  chain in {',
  '  type filter hook prerouting priority raw; policy accept;',
  '  iifname != { "lo", "tun0" } ip daddr { 10.88.0.2 } drop',
  '  iifname != { "lo", "tun0" } ip6 daddr { fd00::2 } drop',
  '  }',
  '  }',
];

describe('apply', () => {
  it('repeats the routes, the most specific first, in one transaction', async () => {
    const { firewall, nft } = host();
    const include = prefixes('0.0.0.0/0', '192.168.7.53/32');
    const exclude = prefixes('203.0.113.0/24');
    expect(await firewall.apply(desired({ include, exclude, allowLan: true }))).toBeUndefined();
    expect(nft()).toEqual([
      'nft -f -',
      ...OUT(),
      '  ip daddr { 224.0.0.0/24, 239.255.255.250, 255.255.255.255 } accept',
      '  ip6 daddr ff02::/16 accept',
      '  ip daddr 192.168.7.53/32 reject with icmpx type no-route',
      '  ip daddr 192.168.7.0/24 accept',
      '  ip daddr 203.0.113.0/24 accept',
      '  ip6 daddr fe80::/10 accept',
      '  ip6 daddr ::/0 reject with icmpx type no-route',
      '  ip daddr 0.0.0.0/0 reject with icmpx type no-route',
      ...IN,
    ]);
  });

  it('leaves the network around alone only where the profile does', async () => {
    const { firewall, nft } = host();
    await firewall.apply(desired());
    expect(nft()).toEqual([
      'nft -f -',
      ...OUT(),
      '  ip6 daddr fe80::/10 accept',
      '  ip6 daddr ::/0 reject with icmpx type no-route',
      '  ip daddr 0.0.0.0/0 reject with icmpx type no-route',
      ...IN,
    ]);
  });

  it('of a split tunnel refuses what is included, and nothing else', async () => {
    const { firewall, nft } = host();
    await firewall.apply(desired({ include: prefixes('10.0.0.0/8'), unreachable: [] }));
    expect(nft().filter((line) => line.includes('reject'))).toEqual([
      '  ip daddr 10.0.0.0/8 reject with icmpx type no-route',
    ]);
  });

  it('knows no address of a tunnel without one', async () => {
    const { firewall, nft } = host((line) => (line.includes('address show') ? '[]' : undefined));
    await firewall.apply(desired());
    expect(nft().filter((line) => line.includes('drop'))).toEqual([]);
  });

  it('leaves an address alone that another link has, too', async () => {
    const { firewall, nft } = host((line) =>
      line.includes('address show')
        ? JSON.stringify([
            { ifname: 'eth0', addr_info: [{ local: '10.88.0.2' }] },
            { ifname: 'tun0', addr_info: [{ local: '10.88.0.2' }, { local: 'fd00::2' }] },
          ])
        : undefined,
    );
    await firewall.apply(desired());
    expect(nft().filter((line) => line.includes('drop'))).toEqual([
      '  iifname != { "lo", "tun0" } ip6 daddr { fd00::2 } drop',
    ]);
  });

  it('leaves alone what the rules of others decide first', async () => {
    const { firewall, nft } = host((line) => {
      if (line.endsWith('-4 rule show'))
        return JSON.stringify([
          { priority: 0, src: 'all', table: 'local' },
          { priority: 90, src: '192.168.7.2', table: '51' },
          { priority: 91, not: null, src: 'all', fwmark: '0x7', table: '51' },
          { priority: 92, src: 'all', uid_start: 1000, uid_end: 1000, table: '51' },
          { priority: 93, src: 'all', fwmark: '0x0', fwmask: '0x1', table: '51' },
          { priority: 94, src: 'all', action: 'unreachable' },
          { priority: 95, src: 'all', table: 'main', suppress_prefixlen: 0 },
          { priority: 5210, src: 'all', fwmark: '0x80000', fwmask: '0xff0000', table: 'main' },
          { priority: 5270, src: 'all', table: '52' },
          { priority: 31750, not: null, src: 'all', fwmark: '0x4750', table: '4750', protocol: '147' },
          { priority: 31751, src: 'all', table: '51' },
          { priority: 32766, src: 'all', table: 'main' },
        ]);
      if (line.endsWith('-6 rule show')) return JSON.stringify([{ priority: 5270, src: 'all', table: '52' }]);
      if (line.endsWith('route show table 51')) return JSON.stringify([{ dst: 'default', dev: 'eth0' }]);
      if (line.endsWith('-6 route show table 52')) return JSON.stringify([{ dst: 'fd7a::9', dev: 'other0' }]);
      if (line.endsWith('route show table 52'))
        return JSON.stringify([
          { dst: '100.64.0.9', dev: 'other0' },
          { type: 'throw', dst: '100.99.0.0/16' },
          { dst: '100.65.0.0/16', nexthops: [{ dev: 'other0' }, { dev: 'tun0' }, { dev: 'a"b' }] },
        ]);
      return undefined;
    });
    await firewall.apply(desired());
    const lines = nft();
    const from = lines.indexOf(OUT().at(-1)!) + 1;
    expect(lines.slice(from, lines.indexOf('  ip6 daddr fe80::/10 accept'))).toEqual([
      '  oifname "eth0" ip daddr 192.168.7.0/24 accept',
      '  meta mark and 0xff0000 == 0x80000 accept',
      '  oifname "other0" ip daddr 100.64.0.9/32 accept',
      '  oifname "other0" ip daddr 100.65.0.0/16 accept',
      '  oifname "other0" ip6 daddr fd7a::9/128 accept',
    ]);
  });

  it('answers an error where there is no nftables', async () => {
    const { firewall } = host((line) =>
      line.startsWith('nft') ? { exitCode: 1, stderr: 'Protocol error' } : undefined,
    );
    expect(await firewall.apply(desired())).toMatchObject({ code: 'command-failed' });
  });
});

describe('close and cleanUp', () => {
  it('remove the table and say so, or find none', async () => {
    const there = host();
    expect(await there.firewall.cleanUp()).toEqual(['nftables table culvert']);
    expect(there.nft()).toEqual(['nft list table inet culvert', 'nft delete table inet culvert']);
    const none = host((line) => (line.startsWith('nft list') ? { exitCode: 1, stderr: 'No such file' } : undefined));
    expect(await none.firewall.cleanUp()).toEqual([]);
    await none.firewall.close();
    expect(none.nft().filter((line) => line.includes('delete'))).toEqual([]);
  });

  it('reject where it cannot be removed', async () => {
    const { firewall } = host((line) => (line.startsWith('nft delete') ? { exitCode: 1, stderr: 'busy' } : undefined));
    await expect(firewall.close()).rejects.toBeInstanceOf(NetError);
  });
});

describe('routes with a firewall behind them', () => {
  const broken = new NetError({ code: 'command-missing', message: 'no nft', operation: 'nft', remedy: '' });
  function scene(fails: () => NetError | undefined) {
    const order: string[] = [];
    const table = fakeRouteTable(['a route']);
    const routes = {
      ...table,
      apply: async (wanted: DesiredRoutes) => {
        order.push('routes.apply');
        return table.apply(wanted);
      },
      close: async () => {
        order.push('routes.close');
      },
    };
    const firewall: Firewall = {
      apply: async () => {
        order.push('firewall.apply');
        return fails();
      },
      close: async () => {
        order.push('firewall.close');
        const failed = fails();
        if (failed) throw failed;
      },
      cleanUp: async () => {
        const failed = fails();
        if (failed) throw failed;
        return ['a table'];
      },
    };
    const missing: string[] = [];
    return { order, missing, guarded: guardedRoutes(routes, firewall, ({ message }) => missing.push(message)) };
  }

  it('come first and go last', async () => {
    const { order, guarded, missing } = scene(() => undefined);
    expect(await guarded.apply(desired())).toBeUndefined();
    await guarded.close();
    expect(order).toEqual(['routes.apply', 'firewall.apply', 'firewall.close', 'routes.close']);
    expect(await guarded.cleanUp()).toEqual(['a table', 'a route']);
    expect(missing).toEqual([]);
  });

  it('hold without it, and it is said once that there is none', async () => {
    let fails: NetError | undefined = broken;
    const { order, guarded, missing } = scene(() => fails);
    expect(await guarded.apply(desired())).toBeUndefined();
    await guarded.apply(desired());
    expect(missing).toEqual(['no nft']);
    fails = undefined;
    await guarded.apply(desired());
    fails = broken;
    await guarded.apply(desired());
    expect(missing).toEqual(['no nft', 'no nft']);
    order.length = 0;
    // What cannot be removed is told, and keeps nothing else.
    await expect(guarded.close()).rejects.toBe(broken);
    expect(order).toEqual(['firewall.close', 'routes.close']);
    await expect(guarded.cleanUp()).rejects.toBe(broken);
  });
});
