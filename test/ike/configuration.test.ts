import { expect, test } from 'vitest';
import {
  configurationReply,
  configurationRequest,
  readConfiguration,
  requestedFamilies,
  requestsDomains,
} from '../../main/ike/configuration.ts';
import { payloadOf } from '../../main/ike/payload/payload.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { RECORDED, read } from './recorded.ts';

const attribute = (type: number, ...value: number[]) => ({ type, value: Uint8Array.from(value) });
const readAll = (...attributes: ReturnType<typeof attribute>[]) =>
  readConfiguration({ kind: 'cp', type: 'reply', attributes });

test.each(RECORDED)('reads what strongSwan assigned: $selected', (recorded) => {
  const request = payloadOf(read(recorded, 2).payloads, 'cp')!;
  expect(requestedFamilies(request)).toEqual([4]);
  const configuration = readConfiguration(payloadOf(read(recorded, 3).payloads, 'cp')!);
  expect(configuration.addresses.map(formatPrefix)).toEqual([expect.stringMatching(/^10\.\d+\.\d+\.\d+\/32$/)]);
  expect(configuration.dns.length).toBe(1);
  expect(configuration.subnets.length).toBe(1);
});

test('a lease survives the way to the other end', () => {
  const lease = {
    addresses: [parsePrefix('10.99.0.5/24')!, parsePrefix('fd99::5/64')!],
    dns: [parseAddress('10.77.0.53')!, parseAddress('fd77::53')!],
    subnets: [parsePrefix('10.77.0.0/16')!, parsePrefix('0.0.0.0/0')!, parsePrefix('fd77::/48')!],
  };
  expect(readConfiguration(configurationReply(lease))).toEqual({ ...lease, applicationVersion: undefined });
  const split = { ...lease, domains: ['example.com', 'city.other.test'] };
  expect(readConfiguration(configurationReply(split))).toEqual({ ...split, applicationVersion: undefined });
  // RFC 8598 §3.2: domains without a server that knows them are not sent.
  expect(readConfiguration(configurationReply({ ...split, dns: [] })).domains).toBeUndefined();
  const host = { addresses: [parsePrefix('10.99.0.5/32')!], dns: [], subnets: [] };
  expect(configurationReply(host).attributes.map((a) => a.type)).toEqual([1]);
  expect(readConfiguration(configurationReply(host))).toMatchObject(host);
});

test('asks for the families wanted, and for nothing where none is', () => {
  expect(configurationRequest([])).toBeUndefined();
  expect(requestedFamilies(configurationRequest([4])!)).toEqual([4]);
  expect(requestedFamilies(configurationRequest([6])!)).toEqual([6]);
  expect(requestedFamilies(configurationRequest([6, 4])!)).toEqual([4, 6]);
  expect(requestsDomains(configurationRequest([4])!)).toBe(true);
  expect(requestsDomains({ kind: 'cp', type: 'request', attributes: [attribute(1)] })).toBe(false);
});

test('domains of the gateway are names, each once, and not too many', () => {
  const domain = (text: string) => attribute(25, ...new TextEncoder().encode(text));
  const { domains } = readAll(
    ...['Example.COM.', 'example.com', 'a..b', '', '.', 'corp.example\0', 'nasty\nname', `${'x'.repeat(64)}.test`].map(
      domain,
    ),
    ...Array.from({ length: 100 }, (_, i) => domain(`d${i}.test`)),
  );
  expect(domains?.slice(0, 3)).toEqual(['example.com', 'corp.example', 'd0.test']);
  expect(domains).toHaveLength(64);
});

test('no reply makes us keep thousands of anything', () => {
  const many = Array.from({ length: 5000 }, (_, i) => [
    attribute(1, 10, i >> 8, i & 255, 1),
    attribute(3, 10, i >> 8, i & 255, 53),
    attribute(13, 10, i >> 8, i & 255, 0, 255, 255, 255, 0),
  ]).flat();
  const { addresses, dns, subnets } = readAll(...many);
  expect([addresses.length, dns.length, subnets.length]).toEqual([8, 8, 256]);
});

test('what is malformed is skipped, the rest is good', () => {
  const configuration = readAll(
    attribute(1, 10, 0, 0),
    attribute(1, 10, 0, 0, 1),
    attribute(2, 255, 0, 255, 0), // a mask with a hole
    attribute(3),
    attribute(3, 10, 0, 0, 53),
    attribute(8, ...Array(16).fill(1), 129),
    attribute(8, ...Array(16).fill(1)),
    attribute(10, 1, 2),
    attribute(13, 10, 0, 0, 0, 255, 0, 255, 0),
    attribute(13, 10, 0, 0, 0),
    attribute(15, ...Array(16).fill(2), 200),
    attribute(25_000, 1, 2, 3),
  );
  expect(configuration.addresses.map(formatPrefix)).toEqual(['10.0.0.1/32', '101:101:101:101:101:101:101:101/128']);
  expect(configuration.dns.map(formatAddress)).toEqual(['10.0.0.53']);
  expect(configuration.subnets).toEqual([]);
});

test.each([
  [[0, 0, 0, 0], 0],
  [[128, 0, 0, 0], 1],
  [[255, 255, 255, 0], 24],
  [[255, 255, 255, 254], 31],
  [[255, 255, 255, 255], 32],
])('the mask %j is /%d', (mask, bits) => {
  expect(readAll(attribute(1, 10, 0, 0, 1), attribute(2, ...mask)).addresses[0]!.bits).toBe(bits);
  expect(readAll(attribute(13, 10, 0, 0, 0, ...mask)).subnets[0]!.bits).toBe(bits);
});

test("the gateway's version is kept short and printable", () => {
  const version = readAll(attribute(7, ...new TextEncoder().encode('strongSwan\u001b[31m'), ...Array(500).fill(65)));
  expect(version.applicationVersion).toMatch(/^strongSwan\?\[31mA+$/);
  expect(version.applicationVersion!.length).toBe(128);
});
