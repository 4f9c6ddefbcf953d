// The two ends of a simulated connection: where they are, and how they are configured unless a test says otherwise.
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { type Endpoint, parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { type Selector, selectorOf } from '../../main/wire/selector.ts';

export const address = (text: string): Uint8Array => parseAddress(text) ?? never(text);
export const endpoint = (text: string, port: number): Endpoint => ({ address: address(text), port });
export const selector = (text: string, protocol = 0): Selector =>
  selectorOf(parsePrefix(text) ?? never(text), protocol);
const never = (text: string): never => {
  throw new Error(`not an address: ${text}`);
};
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const CLIENT = '192.0.2.2';
export const GATEWAY = '198.51.100.1';
/** The client's NAT, seen from outside. */
export const NAT = '203.0.113.7';

const RETRANSMISSION = { first: 500, factor: 2, most: 4000, tries: 8 };

export const initiatorConfig = (change: Partial<InitiatorConfig> = {}): InitiatorConfig => ({
  local: endpoint(CLIENT, 500),
  localNatt: endpoint(CLIENT, 4500),
  remote: endpoint(GATEWAY, 500),
  remoteNattPort: 4500,
  identity: { type: 'rfc822', text: 'alice@example.com' },
  remoteIdentity: { type: 'fqdn', text: 'gateway.example.com' },
  credential: { kind: 'psk', secret: bytes('correct horse battery staple') },
  proposals: ['aes256gcm16-prfsha256-x25519'],
  child: {
    mode: 'tunnel',
    proposals: ['aes128gcm16', 'chacha20poly1305'],
    local: [selector('0.0.0.0/0', 47)],
    remote: [selector('10.77.0.1/32', 47)],
    localIsDynamic: true,
  },
  requestAddresses: [4],
  encapsulation: 'auto',
  retransmission: RETRANSMISSION,
  livenessInterval: 0,
  keepaliveInterval: 0,
  ...change,
});

export const responderConfig = (change: Partial<ResponderConfig> = {}): ResponderConfig => ({
  identity: { type: 'fqdn', text: 'gateway.example.com' },
  secretOf: (peer) =>
    peer.type === 'rfc822' && peer.text === 'alice@example.com' ? bytes('correct horse battery staple') : undefined,
  proposals: ['aes256gcm16-prfsha256-x25519'],
  childProposals: ['aes128gcm16', 'chacha20poly1305'],
  modes: ['tunnel', 'transport'],
  local: [selector('10.77.0.1/32'), selector(`${GATEWAY}/32`)],
  remote: 'lease',
  lease: () => ({
    addresses: [{ address: address('10.99.0.5'), bits: 24 }],
    dns: [address('10.77.0.53')],
    subnets: [parsePrefix('10.77.0.0/16') ?? never('')],
  }),
  encapsulation: 'auto',
  cookieThreshold: Number.POSITIVE_INFINITY,
  retransmission: RETRANSMISSION,
  livenessInterval: 0,
  ...change,
});
