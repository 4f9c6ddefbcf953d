// Each check finds its fault, names a cause and a remedy, and is quiet where nothing is wrong.
import { describe, expect, it } from 'vitest';
import { dropsOf, type Facts, runChecks } from '../../main/diagnose/checks.ts';
import { redact } from '../../main/diagnose/report.ts';
import type { TrafficStatistics } from '../../main/ipc/contract.ts';
import { FAKE_ERROR, FAKE_PROFILES, fakeTunnel } from '../../main/ipc/fake.ts';

const NOW = Date.UTC(2026, 10, 21);
const tunnel = fakeTunnel(FAKE_PROFILES[0]!, 1414, NOW);
const traffic = (changes: Partial<TrafficStatistics> = {}): TrafficStatistics => ({
  bytesIn: 500_000,
  bytesOut: 50_000,
  packetsIn: 500,
  packetsOut: 400,
  counters: { inPackets: 500, outPackets: 400 },
  lastInboundAgo: 10,
  ...changes,
});
const well: Facts = {
  state: { state: 'connected', profile: 'office', tunnel },
  traffic: traffic(),
  lastError: null,
  now: NOW,
  tun: null,
  gateway: { host: 'vpn.example.com', addresses: ['192.0.2.1'], error: null },
  ports: null,
  path: null,
};
const idle: Facts = { ...well, state: { state: 'disconnected', lastError: null }, traffic: null };
const find = (facts: Facts, id: string) => runChecks(facts).find((check) => check.id === id);
const port = (number: number, answered: boolean, error: string | null = null) => ({ port: number, answered, error });

it('all is well', () => {
  expect(runChecks(well).map(({ verdict }) => verdict)).toEqual(Array.from({ length: 8 }, () => 'pass'));
});

describe('a fault is found, with its cause and what to do', () => {
  const faults: readonly [string, string, Facts][] = [
    ['tun', 'fail', { ...idle, tun: 'ENOENT' }],
    ['tun', 'fail', { ...idle, tun: 'EACCES' }],
    ['clock', 'fail', { ...idle, now: 0 }],
    ['dns', 'fail', { ...idle, gateway: { host: 'x.example', addresses: [], error: 'ENOTFOUND' } }],
    ['gateway-reachable', 'fail', { ...idle, ports: [port(500, false), port(4500, false)] }],
    ['gateway-reachable', 'fail', { ...idle, ports: [port(500, false, 'ECONNREFUSED'), port(4500, false)] }],
    ['gateway-reachable', 'warn', { ...idle, ports: [port(500, true), port(4500, false)] }],
    ['traffic', 'warn', { ...well, traffic: traffic({ packetsIn: 0, packetsOut: 50 }) }],
    ['mtu-black-hole', 'fail', { ...well, path: { works: 1400, assumed: 1500 } }],
    [
      'mtu-black-hole',
      'warn',
      { ...well, traffic: traffic({ packetsOut: 1000, bytesOut: 1_400_000, packetsIn: 20, bytesIn: 1200 }) },
    ],
    [
      'mtu-black-hole',
      'warn',
      {
        ...well,
        state: {
          state: 'connected',
          profile: 'office',
          tunnel: { ...tunnel, mtu: { ...tunnel.mtu, value: 1450, computed: 1414 } },
        },
      },
    ],
    ['drops', 'warn', { ...well, traffic: traffic({ counters: { inGreKey: 100 } }) }],
  ];
  it.each(faults)('%s: %s', (id, verdict, facts) => {
    const check = find(facts, id);
    expect(check?.verdict).toBe(verdict);
    expect(check?.cause?.text.length).toBeGreaterThan(10);
    expect(check?.remedy?.text.length).toBeGreaterThan(10);
  });
});

it('a failed connection is told with its own remedy', () => {
  const check = find({ ...idle, state: { state: 'failed', profile: 'office', error: FAKE_ERROR } }, 'connection');
  expect(check).toMatchObject({
    verdict: 'fail',
    found: { code: 'error.ike/no-response', text: FAKE_ERROR.message },
    remedy: { text: FAKE_ERROR.remedy },
  });
});

it('one packet in a thousand is nothing to worry about', () => {
  const some = traffic({ packetsIn: 100_000, counters: { inReplayOld: 20 } });
  expect(find({ ...well, traffic: some }, 'drops')).toMatchObject({ verdict: 'pass' });
});

it('drops are what was lost, with its meaning, the most first', () => {
  const counters = { inPackets: 9, inReplayOld: 2, outNoSa: 5, inDummies: 3 };
  expect(dropsOf(traffic({ counters }))).toMatchObject([
    { name: 'outNoSa', packets: 5, meaning: { code: 'drop.outNoSa' } },
    { name: 'inReplayOld', packets: 2, meaning: { code: 'drop.inReplayOld' } },
  ]);
  expect(dropsOf(null)).toEqual([]);
});

it('what looks like a secret is blotted out, and what does not is left', () => {
  expect(redact('SK_d = 00112233445566778899aabbccddeeff0011')).toBe('SK_d = [hidden]');
  expect(redact('"secret": "correct horse", psk=abc')).toBe('"secret": [hidden], psk=[hidden]');
  expect(redact(Buffer.alloc(48, 7).toString('base64'))).toBe('[hidden]');
  const harmless = 'aes256gcm16-prfsha384-ecp384 with 192.0.2.1:4500 (vpn.example.com), SPI 0x0011223344556677';
  expect(redact(harmless)).toBe(harmless);
});
