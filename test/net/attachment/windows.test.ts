// What Windows says of the network it is attached to: PowerShell's JSON, and netsh in several languages.
import { describe, expect, it } from 'vitest';
import { parseNetsh, parseQuery, QUERY, windowsAttachment } from '../../../main/net/attachment/windows.ts';
import { recordingRunner } from '../../../main/net/runner.fake.ts';

const GUID = '7c4a8d09-ca37-4b2f-9f1e-2b1c3d4e5f60';
const FOUND = `{"hop":"192.168.1.1","mac":"3C-A6-2F-10-0B-0C","guid":"{${GUID.toUpperCase()}}","medium":9,"index":12}\r\n`;
const EN = `
There is 1 interface on the system:

    Name                   : Wi-Fi
    Description            : Intel(R) Wi-Fi 6 AX201 160MHz
    GUID                   : ${GUID}
    Physical address       : 3c:58:c2:11:22:33
    Interface type         : Primary
    State                  : connected
    SSID                   : HomeNet
    BSSID                  : a4:2b:b0:44:55:66
    Network type           : Infrastructure
    Radio type             : 802.11ax
    Authentication         : WPA2-Personal
    Cipher                 : CCMP
    Connection mode        : Profile
    Channel                : 44
    Receive rate (Mbps)    : 1201
    Transmit rate (Mbps)   : 1201
    Signal                 : 92%
    Profile                : HomeNet

    Hosted network status  : Not available
`;
// Windows 11.
const EN11 = `
There is 1 interface on the system:

    Name                   : Wi-Fi
    Description            : MediaTek MT7921 Wi-Fi 6 802.11ax PCIe Adapter
    GUID                   : ${GUID}
    Physical address       : e0:0a:f6:b8:4e:ad
    Interface type         : Primary
    State                  : connected
    SSID                   : NETGEAR94
    AP BSSID               : 74:fe:ce:11:07:e7
    Band                   : 5 GHz
    Channel                : 48
    Network type           : Infrastructure
    Radio type             : 802.11ax
    Authentication         : WPA3-Personal  (H2E)
    Cipher                 : CCMP
    Connection mode        : Auto Connect
    Receive rate (Mbps)    : 866.7
    Transmit rate (Mbps)   : 866.7
    Signal                 : 87%
    Profile                : NETGEAR94
`;
const DE = EN.replace('Name    ', 'Name    ')
  .replace('Description            ', 'Beschreibung           ')
  .replace('Physical address       ', 'Physische Adresse      ')
  .replace('State                  : connected', 'Status                 : Verbunden')
  .replace('Network type           : Infrastructure', 'Netzwerktyp            : Infrastruktur')
  .replace('Radio type', 'Funktyp   ')
  .replace('Authentication         : WPA2-Personal', 'Authentifizierung      : WPA2-Personal')
  .replace('Cipher                 ', 'Verschlüsselung        ');
const FR = `
Il y a 1 interface sur le système :

    Nom                            : Wi-Fi
    Description                    : Intel(R) Wi-Fi 6 AX201 160MHz
    GUID                           : ${GUID}
    Adresse physique               : 3c:58:c2:11:22:33
    État                           : connecté
    SSID                           : Livebox
    BSSID                          : a4:2b:b0:44:55:66
    Type de réseau                 : Infrastructure
    Type de radio                  : 802.11ac
    Authentification               : WPA2 - Personnel
    Chiffrement                    : CCMP
    Mode de connexion              : Profil
    Canal                          : 36
    Profil                         : Livebox
`;
const JA = `
システムに 1 インターフェイスがあります:

    名前                   : Wi-Fi
    説明                   : Wireless LAN Adapter
    GUID                   : ${GUID}
    物理アドレス           : 3c:58:c2:11:22:33
    状態                   : 接続されました
    SSID                   : 自宅
    BSSID                  : a4:2b:b0:44:55:66
    ネットワークの種類     : インフラストラクチャ
    無線の種類             : 802.11n
    認証                   : WPA2-パーソナル
    暗号                   : CCMP
    接続モード             : プロファイル
    チャネル               : 1
    プロファイル           : 自宅
`;
const APART = `
There is 1 interface on the system:

    Name                   : Wi-Fi
    GUID                   : ${GUID}
    Physical address       : a4:c3:f0:11:22:33
    State                  : disconnected
    Radio status           : Hardware On
                             Software Off
`;
const NOT_READABLE = { kind: 'unknown', because: 'not-readable' };

describe('netsh', () => {
  it.each([
    ['English', EN, { kind: 'wifi', name: 'HomeNet', secured: true }],
    ['English, Windows 11', EN11, { kind: 'wifi', name: 'NETGEAR94', secured: true }],
    ['German', DE, { kind: 'wifi', name: 'HomeNet', secured: true }],
    ['French', FR, { kind: 'wifi', name: 'Livebox', secured: true }],
    ['Japanese', JA, { kind: 'wifi', name: '自宅', secured: true }],
    ['open', EN.replace('WPA2-Personal', 'Open'), { kind: 'wifi', name: 'HomeNet', secured: false }],
    ['offen', DE.replace('WPA2-Personal', 'Offen'), { kind: 'wifi', name: 'HomeNet', secured: false }],
    ['joined to none', APART, undefined],
    [
      'without the location permission',
      'Network shell commands need location permission to access WLAN information.',
      undefined,
    ],
    ['none', '', undefined],
  ])('%s', (_, text, expected) => {
    expect(parseNetsh(text, GUID)).toEqual(expected);
    expect(parseNetsh(text.replaceAll('\n', '\r\n'), GUID)).toEqual(expected);
  });

  it('tells adapters apart', () => {
    const other = EN.replace(GUID, '00000000-0000-0000-0000-000000000001').replaceAll('HomeNet', 'Other');
    for (const text of [other + EN, EN + other]) expect(parseNetsh(text, GUID)).toMatchObject({ name: 'HomeNet' });
    expect(parseNetsh(other, GUID)).toBeUndefined();
  });

  it('is not deceived by a name with a line end in it, nor by an open network’s profile', () => {
    const forged = EN.replace('WPA2-Personal', 'Open').replace(
      ': HomeNet\n',
      ': HomeNet\n    Authentication : WPA2-Personal\n',
    );
    expect(parseNetsh(forged, GUID)).toEqual(NOT_READABLE);
    const twice = EN.replace('Cipher  ', 'SSID                   : Home\n    Cipher  ');
    expect(parseNetsh(twice, GUID)).toEqual(NOT_READABLE);
    const open = EN.replace('WPA2-Personal', 'Open').replace(
      'Profile                : HomeNet',
      'Profile                : WPA2',
    );
    expect(parseNetsh(open, GUID)).toEqual({ kind: 'wifi', name: 'HomeNet', secured: false });
    // The console's code page was another than UTF-8.
    expect(parseNetsh(EN.replaceAll('HomeNet', 'Caf\ufffd'), GUID)).toEqual(NOT_READABLE);
  });
});

it('reads what PowerShell says', () => {
  expect(parseQuery(FOUND)).toEqual({
    interfaceName: '12',
    gateway: '192.168.1.1',
    guid: GUID,
    wifi: true,
    mac: '3c:a6:2f:10:0b:0c',
  });
  expect(parseQuery('{"hop":"0.0.0.0","mac":"","guid":"","medium":0,"index":7}')).toMatchObject({ gateway: null });
  expect(parseQuery('\r\n')).toBeNull();
  for (const text of ['x', '[]', '{}', 'null', '{"hop":1,"index":2,"guid":""}'])
    expect(parseQuery(text), text).toBeUndefined();
});

it('puts it together', async () => {
  const read = async (found: string, netsh: string | { exitCode: number }) => {
    const runner = recordingRunner((line) => (line.includes('powershell.exe') ? found : netsh));
    return (await windowsAttachment(runner).read()).attachment;
  };
  expect(await read(FOUND, EN)).toEqual({ kind: 'wifi', name: 'HomeNet', secured: true });
  expect(await read(FOUND, { exitCode: 1 })).toEqual({ kind: 'unknown', because: 'name-hidden' });
  expect(await read(FOUND.replace('"medium":9', '"medium":14'), EN)).toEqual({
    kind: 'wired',
    gateway: '3c:a6:2f:10:0b:0c',
  });
  expect(await read('', EN)).toEqual({ kind: 'offline' });
  expect(await read('what', EN)).toEqual(NOT_READABLE);
  // No quotation mark of the outer command line in it: it travels as one argument.
  expect(QUERY).not.toContain('"');
});
