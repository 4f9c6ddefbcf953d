// What a person is told where no TUN can be made, as far as it shows without privilege; the rest is in test/live.
import { expect, it } from 'vitest';
import { recordingRunner } from '../../../main/net/runner.fake.ts';
import { changes, type Link, linuxTunAdapter } from '../../../main/net/tun/linux.ts';
import { parsePrefix } from '../../../main/wire/address.ts';

it.each(['', 'a-name-of-16-byte', 'with space', 'a/b', 'ünterfäße-lang'])(
  'refuses the interface name "%s"',
  async (name) => {
    const runner = recordingRunner();
    const result = await linuxTunAdapter({ runner }).open({ name, mtu: 1400, addresses: [] });
    expect(result).toMatchObject({ code: 'unsupported' });
    expect(runner.transcript).toEqual([]);
  },
);

const link = (mtu: number, ...locals: string[]): Link => ({
  mtu,
  flags: ['UP'],
  addr_info: locals.map((text) => {
    const [local = '', bits] = text.split('/');
    return { local, prefixlen: Number(bits), scope: 'global' };
  }),
});
const wanted = (mtu: number, ...texts: string[]) => ({ mtu, addresses: texts.map((text) => parsePrefix(text)!) });

it('adds the new address before the old one goes: without any, the kernel would drop all routes', () => {
  expect(changes('tun0', link(1400, '10.10.0.5/32'), wanted(1400, '10.10.0.9/32'))).toEqual([
    'address add 10.10.0.9/32 dev tun0',
    'address del 10.10.0.5/32 dev tun0',
  ]);
});

it('an MTU too small for IPv6 comes after its addresses went; a larger one before they come', () => {
  const both = ['10.88.0.2/24', 'fd00::2/64'] as const;
  expect(changes('tun0', link(1400, ...both), wanted(1200, '10.88.0.2/24'))).toEqual([
    'address del fd00::2/64 dev tun0',
    'link set dev tun0 mtu 1200',
  ]);
  expect(changes('tun0', link(1200, '10.88.0.2/24'), wanted(1400, ...both))).toEqual([
    'link set dev tun0 mtu 1400',
    'address add fd00::2/64 dev tun0 nodad',
  ]);
});
