import { expect, it } from 'vitest';
import { isOneOfAKind, normaliseMac } from '../../../main/net/attachment/api.ts';

it.each([
  ['3c:a6:2f:10:0b:0c', true],
  // Made up (bit 2 of the first octet), a group's (bit 1).
  ['02:42:ac:11:00:02', false],
  ['52:54:00:12:35:02', false],
  ['01:00:5e:00:00:01', false],
  // VRRP, HSRP 1 and 2, GLBP: every site with the same group number has the same one.
  ['00:00:5e:00:01:01', false],
  ['00:00:0c:07:ac:0a', false],
  ['00:00:0c:9f:f0:01', false],
  ['00:07:b4:00:01:01', false],
  // The routers of virtual machines' inner networks.
  ['00:50:56:ea:12:34', false],
  ['00:15:5d:00:00:01', false],
])('%s is one of a kind: %s', (mac, expected) => {
  expect(isOneOfAKind(mac)).toBe(expected);
});

it.each([
  ['3C-A6-2F-10-0B-0C', '3c:a6:2f:10:0b:0c'],
  ['b4:fb:e4:1:87:3f', 'b4:fb:e4:01:87:3f'],
  ['00:00:00:00:00:00', undefined],
  ['(incomplete)', undefined],
  ['3c:a6:2f:10:0b', undefined],
  ['3c:a6:2f:10:0b:0c:0d', undefined],
  ['', undefined],
])('%s is read as %s', (text, expected) => {
  expect(normaliseMac(text)).toBe(expected);
});
