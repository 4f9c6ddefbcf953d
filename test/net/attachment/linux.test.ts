// What Linux says of the network it is attached to, as the commands print it.
import { describe, expect, it } from 'vitest';
import {
  isSecuredInScan,
  linuxAttachment,
  parseDefaultRoute,
  parseIwLink,
  parseNeighbour,
  parseNmcli,
  unescapeIw,
} from '../../../main/net/attachment/linux.ts';
import { NetError } from '../../../main/net/error.ts';
import { recordingRunner } from '../../../main/net/runner.fake.ts';

// iproute2 6.1, a laptop with cable and Wi-Fi; the order is the kernel's, not the preference's.
const ROUTES =
  '[{"dst":"default","gateway":"192.168.1.1","dev":"wlp3s0","protocol":"dhcp","prefsrc":"192.168.1.23","metric":600,"flags":[]},' +
  '{"dst":"default","gateway":"10.20.0.1","dev":"enp0s31f6","protocol":"dhcp","prefsrc":"10.20.3.4","metric":100,"flags":[]}]\n';
const WIFI_ROUTE =
  '[{"dst":"default","gateway":"192.168.1.1","dev":"wlp3s0","protocol":"dhcp","metric":600,"flags":[]}]';
const NEIGHBOUR = '[{"dst":"192.168.1.1","dev":"wlp3s0","lladdr":"3c:a6:2f:10:0b:0c","state":["REACHABLE"]}]';
const LINK = [
  'Connected to 3c:a6:2f:10:0b:0d (on wlp3s0)',
  '\tSSID: Caf\\xc3\\xa9 am Markt',
  '\tfreq: 5180',
  '\tRX: 1234567 bytes (8901 packets)',
  '\tTX: 234567 bytes (890 packets)',
  '\tsignal: -52 dBm',
  '\trx bitrate: 433.3 MBit/s VHT-MCS 9 80MHz short GI VHT-NSS 1',
  '',
].join('\n');
const bss = (first: string, ...elements: string[]): string =>
  [
    first,
    '\tTSF: 1234567890 usec (0d, 00:20:34)',
    '\tfreq: 5180',
    '\tbeacon interval: 100 TUs',
    '\tcapability: ESS Privacy ShortSlotTime RadioMeasure (0x1411)',
    '\tsignal: -52.00 dBm',
    '\tSSID: Caf\\xc3\\xa9 am Markt',
    '\tSupported rates: 6.0* 9.0 12.0* 18.0 24.0* 36.0 48.0 54.0 ',
    ...elements,
    '',
  ].join('\n');
const rsn = (suites: string): string[] => [
  '\tRSN:\t * Version: 1',
  '\t\t * Group cipher: CCMP',
  '\t\t * Pairwise ciphers: CCMP',
  `\t\t * Authentication suites: ${suites}`,
  '\t\t * Capabilities: 16-PTKSA-RC 1-GTKSA-RC MFP-capable (0x008c)',
];
const OURS = 'BSS 3c:a6:2f:10:0b:0d(on wlp3s0) -- associated';
const OTHER = bss('BSS 60:32:b1:00:00:01(on wlp3s0)', ...rsn('PSK'));

describe('the default route', () => {
  it('is the one that the kernel prefers', () => {
    expect(parseDefaultRoute(ROUTES)).toEqual({ interfaceName: 'enp0s31f6', gateway: '10.20.0.1' });
    const down = ROUTES.replace('"metric":100,"flags":[]', '"metric":100,"flags":["linkdown"]');
    expect(parseDefaultRoute(down)).toEqual({ interfaceName: 'wlp3s0', gateway: '192.168.1.1' });
  });

  it('may have several hops, a router of the other family, or none', () => {
    const hops =
      '[{"dst":"default","metric":20,"flags":[],"nexthops":[{"gateway":"192.0.2.1","dev":"a","weight":1,"flags":["dead","linkdown"]},' +
      '{"gateway":"192.0.2.2","dev":"b","weight":1,"flags":[]}]}]';
    expect(parseDefaultRoute(hops)).toEqual({ interfaceName: 'b', gateway: '192.0.2.2' });
    const via = '[{"dst":"default","via":{"family":"inet6","host":"fe80::1"},"dev":"wlan0","flags":[]}]';
    expect(parseDefaultRoute(via)).toEqual({ interfaceName: 'wlan0', gateway: 'fe80::1' });
    expect(parseDefaultRoute('[{"dst":"default","dev":"ppp0","scope":"link","flags":[]}]')).toEqual({
      interfaceName: 'ppp0',
      gateway: null,
    });
    const none = [
      '',
      '[]',
      '[ ]',
      'nonsense',
      'null',
      '[null,1]',
      '[{"type":"unreachable","dst":"default","dev":"lo"}]',
    ];
    for (const text of none) expect(parseDefaultRoute(text), text).toBeUndefined();
  });
});

it('reads the router’s hardware address, not one that failed', () => {
  expect(parseNeighbour(NEIGHBOUR)).toBe('3c:a6:2f:10:0b:0c');
  for (const text of ['[]', '[{"dst":"fd00::1","dev":"eth0","state":["FAILED"]}]', '[{"lladdr":"00:00:00:00:00:00"}]'])
    expect(parseNeighbour(text), text).toBeUndefined();
});

describe('Wi-Fi by iw', () => {
  it('reads names as they are', () => {
    expect(parseIwLink(LINK)).toEqual({ bssid: '3c:a6:2f:10:0b:0d', name: 'Café am Markt' });
    expect(parseIwLink('Not connected.\n')).toBeUndefined();
    expect(parseIwLink(LINK.replace(/\tSSID: .*\n/, ''))).toBeUndefined();
    expect(unescapeIw('\\x20a\\\\b c\\x20')).toBe(' a\\b c ');
    // No UTF-8; a line end; a zero.
    for (const text of ['\\xff\\xfe', 'a\\x0ab', '\\x00']) expect(unescapeIw(text), text).toBeUndefined();
  });

  it.each([
    ['PSK', true],
    ['PSK SAE', true],
    ['SAE', true],
    ['IEEE 802.1X', true],
    ['FT/PSK PSK', true],
    ['Suite B 192', true],
    ['OWE', false],
    ['00-0f-ac:18', false],
    ['NONE', false],
    ['PSK OWE', false],
  ])('%s wants a key: %s', (suites, secured) => {
    expect(isSecuredInScan(`${OTHER}${bss(OURS, ...rsn(suites))}`, '3c:a6:2f:10:0b:0d')).toBe(secured);
    expect(isSecuredInScan(`${bss(OURS, ...rsn(suites))}${OTHER}`, '3c:a6:2f:10:0b:0d')).toBe(secured);
  });

  it('wants a key by the older WPA, too, not by WEP or a neighbour’s', () => {
    const wpa = ['\tWPA:\t * Version: 1', '\t\t * Pairwise ciphers: CCMP', '\t\t * Authentication suites: PSK'];
    expect(isSecuredInScan(bss(OURS, ...wpa), '3c:a6:2f:10:0b:0d')).toBe(true);
    expect(isSecuredInScan(`${OTHER}${bss(OURS)}${OTHER}`, '3c:a6:2f:10:0b:0d')).toBe(false);
    expect(isSecuredInScan(OTHER, '3c:a6:2f:10:0b:0d')).toBe(false);
  });

  it('is not deceived by what an access point writes into its WPS texts', () => {
    const forged = ['\tWPS:\t * Version: 1.0', '\t\t * Manufacturer: x', ...rsn('PSK')];
    expect(isSecuredInScan(bss(OURS, ...forged), '3c:a6:2f:10:0b:0d')).toBe(false);
  });
});

describe('Wi-Fi by nmcli', () => {
  it.each([
    [' :Neighbour:WPA2\n*:Home:WPA2\n', { kind: 'wifi', name: 'Home', secured: true }],
    ['*:Caf\\: Bar \\\\o/:WPA1 WPA2\n', { kind: 'wifi', name: 'Caf: Bar \\o/', secured: true }],
    ['*:Corp:WPA2 802.1X\n', { kind: 'wifi', name: 'Corp', secured: true }],
    ['*:Guest:\n', { kind: 'wifi', name: 'Guest', secured: false }],
    ['*:Guest:OWE\n', { kind: 'wifi', name: 'Guest', secured: false }],
    ['*:Old:WEP\n', { kind: 'wifi', name: 'Old', secured: false }],
    ['*:公司 Wi-Fi:WPA2\n', { kind: 'wifi', name: '公司 Wi-Fi', secured: true }],
    // What its locale could not show: any two letters.
    ['*:?? Wi-Fi:WPA2\n', undefined],
    ['*::WPA2\n', undefined],
    [' :Home:WPA2\n', undefined],
    ['*:Home:WPA2:WPA2\n', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseNmcli(text)).toEqual(expected);
  });
});

describe('the reader', () => {
  const answers =
    (table: Readonly<Record<string, string | number>>) =>
    (line: string): string | NetError | { exitCode: number } | undefined => {
      const found = Object.entries(table).find(([start]) => line.startsWith(start))?.[1];
      return typeof found === 'number' ? { exitCode: found } : found;
    };
  const WIFI = {
    'ip -json -4 route': WIFI_ROUTE,
    'ip -json neighbour': NEIGHBOUR,
    'iw dev wlp3s0 link': LINK,
    'iw dev wlp3s0 scan': bss(OURS, ...rsn('PSK SAE')),
  };

  it('asks no more than it needs', async () => {
    const runner = recordingRunner(answers(WIFI));
    const place = await linuxAttachment(runner, { isWireless: () => true }).read();
    expect(place).toEqual({
      attachment: { kind: 'wifi', name: 'Café am Markt', secured: true },
      mark: 'wlp3s0 192.168.1.1 3c:a6:2f:10:0b:0c',
    });
    expect(runner.transcript).toEqual([
      'ip -json -4 route show default',
      'ip -json neighbour show to 192.168.1.1 dev wlp3s0',
      'iw dev wlp3s0 link',
      'iw dev wlp3s0 scan dump',
    ]);
  });

  it('falls back on NetworkManager where there is no iw', async () => {
    const missing = new NetError({ code: 'command-missing', message: 'no iw', operation: 'iw', remedy: '' });
    const other = answers({ ...WIFI, nmcli: '*:Home:WPA2\n' });
    const runner = recordingRunner((line) => (line.startsWith('iw ') ? missing : other(line)));
    const { attachment } = await linuxAttachment(runner, { isWireless: () => true }).read();
    expect(attachment).toEqual({ kind: 'wifi', name: 'Home', secured: true });
    const neither = recordingRunner((line) => (/^(iw|nmcli) /.test(line) ? missing : other(line)));
    expect((await linuxAttachment(neither, { isWireless: () => true }).read()).attachment).toEqual({
      kind: 'unknown',
      because: 'not-readable',
    });
  });

  it('makes the kernel ask for a router that nobody has spoken to yet', async () => {
    let asked = false;
    const runner = recordingRunner((line) => {
      if (line.startsWith('ping')) asked = true;
      if (line.startsWith('ip -json neighbour')) return asked ? NEIGHBOUR : '[]';
      return answers(WIFI)(line);
    });
    const { attachment } = await linuxAttachment(runner, { isWireless: () => false }).read();
    expect(attachment).toEqual({ kind: 'wired', gateway: '3c:a6:2f:10:0b:0c' });
    expect(runner.transcript).toContain('ping -n -q -c 1 -W 1 -I wlp3s0 192.168.1.1');
  });

  it('says what it cannot know', async () => {
    const read = async (table: Readonly<Record<string, string | number>>) =>
      (await linuxAttachment(recordingRunner(answers(table)), { isWireless: () => false }).read()).attachment;
    expect(await read({})).toEqual({ kind: 'offline' });
    expect(await read({ 'ip -json -4': 1 })).toEqual({ kind: 'unknown', because: 'not-readable' });
    expect(await read({ 'ip -json -4': '[{"dst":"default","dev":"wwan0","flags":[]}]' })).toEqual({
      kind: 'unknown',
      because: 'other-kind',
    });
    expect(await read({ 'ip -json -4': WIFI_ROUTE })).toEqual({ kind: 'unknown', because: 'not-readable' });
    // A virtual machine's, which thousands have; and IPv6 alone.
    const made = '[{"dst":"fe80::1","lladdr":"02:fc:00:00:00:05","state":["STALE"]}]';
    expect(
      await read({ 'ip -json -6': '[{"dst":"default","gateway":"fe80::1","dev":"eth0"}]', 'ip -json neighbour': made }),
    ).toEqual({ kind: 'unknown', because: 'no-identity' });
  });
});
