import { expect, test } from 'vitest';
import type { Product } from './contenders/contender.ts';
import { type Direction, goals, type Row } from './reach.ts';

const one = (value: number) => ({ median: value, min: value, max: value });

function row(product: Product, name: string, rates: readonly [number, number], cpu: number, ping = 0.2, p99 = 5): Row {
  const direction = (rate: number): Direction => ({
    throughput: one(rate),
    cpu: one(cpu),
    loadedMedian: 1,
    loaded99: p99,
    pings: 100,
    pingsLost: 0,
  });
  const idle = { idlePing: one(ping), idle99: 2 * ping, idleInterval: 20, strayPing: one(ping) };
  return { product, name, up: direction(rates[0]), down: direction(rates[1]), ...idle, foreign: 0 };
}

const PEERS: readonly Row[] = [
  row('bare', 'bare veth', [18_000, 18_000], 0.5, 0.02),
  row('openvpn', 'OpenVPN, AES-256-GCM', [1000, 900], 12, 0.3),
  row('openvpn', 'OpenVPN, CHACHA20-POLY1305', [800, 1000], 14, 0.3),
  row('wireguard-go', 'wireguard-go', [560, 560], 20, 0.4),
  row('strongswan', 'strongSwan', [390, 390], 25, 0.5),
];
const reached = (rows: readonly Row[]) => goals(rows).map((goal) => goal.reached[0]);

test('every goal reached, bare link not counted as a tunnel', () => {
  expect(reached([row('culvert', 'Culvert, a', [2100, 2100], 5, 0.3, 9.9), ...PEERS])).toEqual(Array(6).fill(true));
});

test.each([
  ["OpenVPN's fastest cipher in each direction", [2100, 1990], 5, 0.1, 5, 0],
  ['CPU seconds', [2100, 2100], 12, 0.1, 5, 3],
  ['idle ping', [2100, 2100], 5, 0.31, 5, 4],
  ['p99 under load', [2100, 2100], 5, 0.1, 10, 5],
] as const)('%s', (_, rates, cpu, ping, p99, missed) => {
  const seen = reached([row('culvert', 'Culvert, a', rates, cpu, ping, p99), ...PEERS]);
  expect(seen).toEqual(seen.map((_value, i) => i !== missed));
});

test('an absent peer is not called beaten', () => {
  const without = PEERS.filter(({ product }) => product !== 'wireguard-go' && product !== 'openvpn');
  const seen = reached([row('culvert', 'Culvert, a', [2100, 2100], 5), ...without]);
  expect(seen).toEqual([undefined, undefined, true, true, undefined, true]);
});
