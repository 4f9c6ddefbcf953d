// The scene of the tests against gateways that live in a guest of user-mode Linux: its kernel has ESP and GRE of its own.
//
//   cl 198.51.100.2 ── 198.51.100.1 gw 192.0.2.9 ── tap0 ── 192.0.2.1, .7 guest gre1 10.88.0.1: GRE in transport mode
//                       (a NAT, when told so)                                   gre2 10.89.0.1: from 10.77.0.1, in tunnel mode
//                                                                               lo 10.66.0.1: a host behind the gateway
import type { Culvert } from './culvert.ts';
import { Lab } from './lab.ts';
import { answered } from './traffic.ts';

export const SECRET = 'correct horse battery staple';
const CLIENT = '198.51.100.2';
const ROUTER = '192.0.2.9';
/** The first address of the gateway's pool, which gre2 leads to. */
export const POOL_FIRST = '10.99.0.1';

/** Shell lines for the guest: addresses, routes and GRE of the scene. */
export const GUEST_NETWORK = `
ip route add default via ${ROUTER}
ip address add 192.0.2.7/24 dev vec0
ip address add 10.77.0.1/32 dev lo
ip address add 10.66.0.1/32 dev lo
ip tunnel add gre1 mode gre local 192.0.2.1 remote ${CLIENT}
ip address add 10.88.0.1/24 dev gre1
ip link set gre1 mtu 1400 up
ip tunnel add gre2 mode gre local 10.77.0.1 remote ${POOL_FIRST}
ip address add 10.89.0.1/24 dev gre2
ip link set gre2 mtu 1380 up`;

/** The lab with its two namespaces, and Culvert in `cl`; the test boots the guest behind `gw`. */
export function guestLab(): Lab {
  const lab = new Lab();
  lab.namespace('cl');
  lab.namespace('gw');
  lab.link('cl', `${CLIENT}/24`, 'gw', '198.51.100.1/24');
  lab.run('cl', 'ip', 'route', 'add', '192.0.2.0/24', 'via', '198.51.100.1');
  lab.run('gw', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  lab.run('gw', 'nft', 'add', 'table', 'ip', 'nat');
  lab.run('gw', 'nft', 'add chain ip nat post { type nat hook postrouting priority 100; }');
  return lab;
}

/** Turns the router into a NAT, or back. */
export function nat(lab: Lab, on: boolean): void {
  lab.run('gw', 'nft', 'flush', 'chain', 'ip', 'nat', 'post');
  if (on) lab.run('gw', 'nft', 'add rule ip nat post oifname tap0 masquerade');
}

type Part = Readonly<Record<string, unknown>>;
const PSK: Part = { method: 'psk', identity: 'alice@example.com', secret: SECRET };
const GATEWAY: Part = { host: '192.0.2.1', identity: 'gw.example' };

/** GRE in transport mode, to 10.88.0.1. */
export const transportProfile = (changes: Part = {}): Record<string, unknown> => ({
  culvert: 1,
  name: 'guest-transport',
  gateway: GATEWAY,
  authentication: PSK,
  tunnel: { shape: 'gre-transport' },
  gre: { address: ['10.88.0.2/24'] },
  routes: { include: ['10.88.0.0/24'] },
  ...changes,
});

/** GRE in tunnel mode from an address of the gateway's pool, to 10.89.0.1. */
export const tunnelProfile = (changes: Part = {}): Record<string, unknown> => ({
  culvert: 1,
  name: 'guest-tunnel',
  gateway: GATEWAY,
  authentication: PSK,
  tunnel: { shape: 'gre-tunnel' },
  gre: { address: ['10.89.0.2/24'], remote: '10.77.0.1' },
  routes: { include: ['10.89.0.0/24'] },
  ...changes,
});

/**
 * Pings; returns how many of `count` were answered. One more goes before them: some gateways answer IKE before their kernel has
 * the SA.
 */
export async function ping(lab: Lab, address: string, count = 5, size = 1000): Promise<number> {
  await lab.finish('cl', ['ping', '-n', '-c', '1', '-W', '2', address]);
  return answered(lab, count, ['-i', '0.05', '-s', String(size)], address);
}

export async function connected(culvert: Culvert): Promise<{ readonly encapsulation: string }> {
  const { engine } = await culvert.status();
  if (engine.state !== 'connected') throw new Error(engine.state);
  return engine.tunnel;
}
