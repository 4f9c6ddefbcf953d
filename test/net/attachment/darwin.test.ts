// What macOS says of the network it is attached to, as its commands print it.
import { expect, it } from 'vitest';
import { darwinAttachment, parseArp, parseRouteGet, parseSummary } from '../../../main/net/attachment/darwin.ts';
import { recordingRunner } from '../../../main/net/runner.fake.ts';

const ROUTE = `   route to: default
destination: default
       mask: default
    gateway: 192.168.1.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0
`;
const ARP = '? (192.168.1.1) at b4:fb:e4:1:87:3f on en0 ifscope [ethernet]\n';
const summary = (ssid: string, ...rest: string[]): string =>
  [
    '<dictionary> {',
    '  BSSID : <redacted>',
    '  ConnectionID : 29',
    '  IPv4 : <array> {',
    '    0 : <dictionary> {',
    '      Addresses : <array> {',
    '        0 : 192.168.1.164',
    '      }',
    '    }',
    '  }',
    '  InterfaceType : WiFi',
    '  LinkStatusActive : TRUE',
    '  NetworkID : 9C33A1D5-0000-0000-0000-000000000000',
    `  SSID : ${ssid}`,
    ...rest,
    '}',
    '',
  ].join('\n');
const WIRED = '<dictionary> {\n  InterfaceType : Ethernet\n  LinkStatusActive : TRUE\n}\n';
const NOT_READABLE = { kind: 'unknown', because: 'not-readable' };

it('finds the router', () => {
  expect(parseRouteGet(ROUTE)).toEqual({ interfaceName: 'en0', gateway: '192.168.1.1' });
  expect(parseRouteGet(ROUTE.replace('192.168.1.1', 'fe80::1%en0'))).toEqual({
    interfaceName: 'en0',
    gateway: 'fe80::1%en0',
  });
  expect(parseRouteGet('   route to: default\n  interface: utun4\n')).toEqual({
    interfaceName: 'utun4',
    gateway: null,
  });
  expect(parseRouteGet('route: writing to routing socket: not in table\n')).toBeUndefined();
  expect(parseArp(ARP)).toBe('b4:fb:e4:01:87:3f');
  expect(parseArp('? (192.168.1.1) at (incomplete) on en0 ifscope [ethernet]\n')).toBeUndefined();
});

it.each([
  [summary('Home Net', '  Security : WPA2_PSK'), { kind: 'wifi', name: 'Home Net', secured: true }],
  [summary('Home', '  Security : WPA3_SAE'), { kind: 'wifi', name: 'Home', secured: true }],
  [summary('Corp', '  Security : SHA256_8021X'), { kind: 'wifi', name: 'Corp', secured: true }],
  [summary('Guest', '  Security : NONE'), { kind: 'wifi', name: 'Guest', secured: false }],
  [summary('Guest', '  Security : OWE'), { kind: 'wifi', name: 'Guest', secured: false }],
  [summary('a : b'), { kind: 'wifi', name: 'a : b', secured: false }],
  [summary('<redacted>', '  Security : WPA2_PSK'), { kind: 'unknown', because: 'name-hidden' }],
  [WIRED, undefined],
  ['', undefined],
  // Names with line ends in them, which would say of themselves what they like.
  [summary('Home\n  Security : WPA2_PSK', '  Security : NONE'), NOT_READABLE],
  [summary('x\n  SSID : Home', '  Security : WPA2_PSK'), NOT_READABLE],
  [summary('Home\nx', '  Security : WPA2_PSK'), NOT_READABLE],
  [summary('Home\n  InterfaceType : Ethernet', '  Security : WPA2_PSK'), NOT_READABLE],
])('the summary, case %#', (text, expected) => {
  expect(parseSummary(text)).toEqual(expected);
});

it('puts it together', async () => {
  const read = (interfaceText: string) =>
    darwinAttachment(
      recordingRunner((line) => {
        if (line.startsWith('/sbin/route')) return ROUTE;
        return line.startsWith('/usr/sbin/arp') ? ARP : interfaceText;
      }),
    ).read();
  expect(await read(WIRED)).toEqual({
    attachment: { kind: 'wired', gateway: 'b4:fb:e4:01:87:3f' },
    mark: 'en0 192.168.1.1 b4:fb:e4:01:87:3f',
  });
  expect((await read(summary('<redacted>'))).attachment).toEqual({ kind: 'unknown', because: 'name-hidden' });
  const offline = recordingRunner(() => ({ exitCode: 1, stderr: 'route: writing to routing socket: not in table' }));
  expect((await darwinAttachment(offline).read()).attachment).toEqual({ kind: 'offline' });
});
