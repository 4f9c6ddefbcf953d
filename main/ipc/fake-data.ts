// What the fake engine starts with: two profiles as a worker would have them, one of them locked in part by the company.
import type { ContractError, EngineState, MtuPart, ProfileDetails, TunnelInfo } from './contract.ts';

export const FAKE_PROFILES: readonly ProfileDetails[] = [
  {
    name: 'office',
    gateway: 'vpn.example.com',
    shape: 'gre-tunnel',
    gatewayPort: 500,
    gatewayIdentity: 'vpn.example.com',
    identity: 'alice@example.com',
    method: 'psk',
    encapsulation: 'auto',
    addresses: ['10.88.0.2/24'],
    proposals: { ike: ['aes128gcm16-prfsha256-ecp256'], esp: ['aes128gcm16-ecp256'] },
    routes: {
      mode: 'split',
      include: ['10.0.0.0/8', '172.16.0.0/12'],
      exclude: ['10.9.0.0/16'],
      allowLan: true,
      fromGateway: true,
    },
    mtu: { value: null, path: 1500, mss: null },
    locked: [{ pointer: '/routes/exclude', by: 'Example Ltd, IT' }],
    changed: [],
  },
  {
    name: 'lab',
    gateway: '192.0.2.7',
    shape: 'esp-tunnel',
    gatewayPort: 500,
    gatewayIdentity: null,
    identity: null,
    method: 'psk',
    encapsulation: 'udp',
    addresses: [],
    proposals: { ike: ['aes256gcm16-prfsha384-ecp384'], esp: ['chacha20poly1305'] },
    routes: { mode: 'full', include: ['0.0.0.0/0', '::/0'], exclude: [], allowLan: true, fromGateway: false },
    mtu: { value: 1400, path: 1500, mss: null },
    locked: [],
    changed: ['/mtu/value'],
  },
];

/** AES-GCM over IPv4 with UDP encapsulation, GRE in a tunnel: DESIGN's 1,414 bytes. */
export const FAKE_PARTS: readonly MtuPart[] = [
  { kind: 'outer-ip', name: 'outer IPv4 header', bytes: 20 },
  { kind: 'udp', name: 'UDP encapsulation', bytes: 8 },
  { kind: 'esp', name: 'ESP header', bytes: 8 },
  { kind: 'iv', name: 'ESP initialisation vector', bytes: 8 },
  { kind: 'gre-delivery', name: 'IPv4 header of GRE', bytes: 20 },
  { kind: 'gre', name: 'GRE', bytes: 4 },
  { kind: 'esp-trailer', name: 'ESP trailer', bytes: 2 },
  { kind: 'icv', name: 'ESP integrity check value', bytes: 16 },
];

export const FAKE_ERROR: ContractError = {
  code: 'ike/no-response',
  message: 'No answer from the gateway vpn.example.com (192.0.2.1) on UDP ports 500 and 4500 within 30 s.',
  remedy: 'Check that this computer is online; a firewall on the way may block UDP 500 and 4500 (try another network).',
  data: { host: 'vpn.example.com', addresses: '192.0.2.1', port: 500, nattPort: 4500 },
};

export function fakeTunnel(profile: ProfileDetails, mtu: number, since: number): TunnelInfo {
  return {
    shape: profile.shape,
    interfaceName: 'culvert0',
    gateway: '192.0.2.1:4500',
    gatewayIdentity: profile.gatewayIdentity ?? '192.0.2.1',
    local: '198.51.100.20:4500',
    encapsulation: 'udp',
    behindNat: { local: true, remote: false },
    addresses: profile.addresses.length > 0 ? profile.addresses : ['10.77.0.5/32'],
    assigned: ['10.77.0.5/32'],
    dns: ['10.0.0.53'],
    names: { servers: ['10.0.0.53'], domains: ['corp.example'], how: 'by systemd-resolved' },
    ikeProposal: profile.proposals.ike[0] ?? 'aes128gcm16-prfsha256-ecp256',
    espProposal: profile.proposals.esp[0] ?? 'aes128gcm16',
    postQuantum: false,
    mtu: { value: mtu, explanation: `1500 (path MTU) … = ${mtu}`, mss4: mtu - 40, mss6: mtu - 60 },
    routes: { include: profile.routes.include, exclude: profile.routes.exclude },
    since,
    warnings: [],
  };
}

/** One of every state that the interface must show. */
export function fakeStates(now: number): { readonly [K in EngineState['state']]: EngineState } {
  const profile = FAKE_PROFILES[0] as ProfileDetails;
  return {
    disconnected: { state: 'disconnected', lastError: null },
    connecting: { state: 'connecting', profile: profile.name, step: 'auth', attempt: 1 },
    connected: { state: 'connected', profile: profile.name, tunnel: fakeTunnel(profile, 1414, now - 90_000) },
    reconnecting: {
      state: 'reconnecting',
      profile: profile.name,
      because: FAKE_ERROR,
      attempt: 3,
      retryAt: now + 8_000,
    },
    disconnecting: { state: 'disconnecting', profile: profile.name },
    failed: { state: 'failed', profile: profile.name, error: FAKE_ERROR },
  };
}
