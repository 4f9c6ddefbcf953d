// Profiles for tests: one of each shape, to be changed where a test needs it.
import type { Profile } from '../../../main/profile/profile.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../../main/wire/address.ts';

export const prefix = (text: string): Prefix => parsePrefix(text)!;
export const address = (text: string): Address => parseAddress(text)!;

type Changes = {
  readonly [K in keyof Profile]?: Profile[K] extends object | null
    ? Partial<NonNullable<Profile[K]>> | null
    : Profile[K];
};

export function testProfile(shape: Profile['tunnel']['shape'] = 'gre-tunnel', changes: Changes = {}): Profile {
  const gre = {
    address: [prefix('10.88.0.2/24')],
    local: null,
    remote: address('10.77.0.1'),
    key: 7,
    checksum: false,
    sequence: false,
  };
  return {
    name: 'office',
    gateway: {
      host: 'vpn.example.com',
      port: 500,
      nattPort: 4500,
      tcp: 'fallback',
      tcpPort: 4500,
      identity: null,
      ...changes.gateway,
    },
    authentication: {
      method: 'psk',
      identity: 'alice@example.com',
      secret: new TextEncoder().encode('correct horse'),
      ...changes.authentication,
    },
    tunnel: {
      shape,
      encapsulation: 'udp',
      requestAddresses: shape === 'gre-tunnel' || shape === 'esp-tunnel' ? [4] : [],
      replayWindow: 1024,
      interfaceName: 'culvert%d',
      remoteSelectors: null,
      anyProtocol: false,
      mobike: true,
      childless: false,
      direct: [],
      ...changes.tunnel,
    },
    gre: shape === 'esp-tunnel' || changes.gre === null ? null : { ...gre, ...changes.gre },
    routes: {
      include: [prefix('10.99.0.0/16')],
      exclude: [],
      allowLan: true,
      fromGateway: false,
      ...changes.routes,
    },
    dns: { use: true, servers: null, domains: null, ...changes.dns },
    mtu: { value: null, path: 1500, mss: null, copyDscp: false, outerDf: 'set', ...changes.mtu },
    proposals: { ike: ['aes256gcm16-prfsha256-ecp256'], esp: ['aes128gcm16'], ...changes.proposals },
    timing: {
      livenessSeconds: 30,
      keepaliveSeconds: 20,
      connectSeconds: 15,
      rekeySeconds: 3600,
      ikeRekeySeconds: 14_400,
      reauthSeconds: 0,
      rekeyBytes: null,
      rekeyPackets: null,
      ...changes.timing,
    },
  };
}
