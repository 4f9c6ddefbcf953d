// Every key of a profile, by JSON pointer ("*" is any index of a list): what belongs there and an example. Messages about
// mistakes and the suggestions for mistyped keys come from this table; a test holds it and schema.ts together.

import { AUTHENTICATION_FIELDS } from './authentication-fields.ts';
import { type Field, flag, identity, section } from './field.ts';

export type { Field } from './field.ts';

const port: Field = { expected: 'a UDP port, 1 to 65535', example: '500' };
const prefixes = (meaning: string): Field => ({
  expected: `a list of networks: ${meaning}`,
  example: '["10.0.0.0/8", "2001:db8::/32"]',
});
const prefix: Field = { expected: 'a network in CIDR notation', example: '"10.0.0.0/8"' };
const proposal = (example: string): Field => ({
  expected: 'a proposal: keywords joined by "-"',
  example: JSON.stringify(example),
});
export const FIELDS: Readonly<Record<string, Field>> = {
  '/culvert': { expected: 'the version of the format, the number 1', example: '1' },
  '/name': {
    expected: 'a name of 1 to 63 letters, digits, ".", "_" and "-" that starts with a letter or digit',
    example: '"office"',
  },
  '/gateway': section('the company gateway', '{ "host": "vpn.example.com" }'),
  '/gateway/host': { expected: 'a host name or an IP address', example: '"vpn.example.com"' },
  '/gateway/port': port,
  '/gateway/nattPort': { expected: 'a UDP port for NAT traversal, 1 to 65535', example: '4500' },
  '/gateway/tcp': {
    expected: '"fallback" (IKE and ESP over TCP where UDP does not get through), "only" or "off"',
    example: '"fallback"',
  },
  '/gateway/tcpPort': { expected: 'a TCP port for IKE and ESP over TCP, 1 to 65535', example: '4500' },
  '/gateway/identity': identity("the gateway's"),
  '/tunnel': section('the kind of tunnel', '{ "shape": "gre-tunnel" }'),
  '/tunnel/shape': {
    expected: 'one of "gre-tunnel", "gre-transport", "esp-tunnel", "gre-plain"',
    example: '"gre-tunnel"',
  },
  '/tunnel/encapsulation': {
    expected: '"udp" (always ESP in UDP) or "auto" (only behind a NAT)',
    example: '"udp"',
  },
  '/tunnel/requestAddresses': {
    expected: 'the families, 4 and 6, of which to ask the gateway for a virtual address',
    example: '[4, 6]',
  },
  '/tunnel/requestAddresses/*': { expected: 'the number 4 or 6', example: '4' },
  '/tunnel/replayWindow': { expected: 'a multiple of 64, from 64 to 4096 packets', example: '1024' },
  '/tunnel/interfaceName': {
    expected:
      'a name for the network interface: 1 to 15 letters, digits, "_" and "-"; "%d" becomes the first free number',
    example: '"culvert%d"',
  },
  '/tunnel/remoteSelectors': prefixes('what to ask the gateway to carry, instead of what the shape needs'),
  '/tunnel/remoteSelectors/*': prefix,
  '/tunnel/direct': prefixes('what is reached beside GRE, each through a CHILD SA of its own'),
  '/tunnel/direct/*': prefix,
  '/tunnel/mobike': flag('let the tunnel follow this computer into other networks (RFC 4555)'),
  '/tunnel/childless': flag('make the IKE SA first and the CHILD SA after it, where the gateway can (RFC 6023)'),
  '/tunnel/anyProtocol': flag('ask the gateway to carry every protocol, not GRE alone'),
  '/gre': section('the GRE tunnel', '{ "address": ["10.88.0.2/24"], "remote": "10.77.0.1" }'),
  '/gre/address': {
    expected: 'a list of addresses of this computer inside the tunnel, each with the length of its network',
    example: '["10.88.0.2/24"]',
  },
  '/gre/address/*': {
    expected: 'an address of this computer inside the tunnel, with the length of its network',
    example: '"10.88.0.2/24"',
  },
  '/gre/local': {
    expected: 'the source address of GRE packets inside ESP; null for the address that the gateway assigns',
    example: '"10.99.0.7"',
  },
  '/gre/remote': {
    expected: "the gateway's GRE address inside ESP; null for the gateway itself",
    example: '"10.77.0.1"',
  },
  '/gre/key': { expected: 'the GRE key, 0 to 4294967295; null for none', example: '42' },
  '/gre/checksum': flag('send GRE checksums'),
  '/gre/sequence': flag('send GRE sequence numbers'),
  '/routes': section('what goes through the tunnel', '{ "include": ["10.0.0.0/8"] }'),
  '/routes/include': prefixes('what goes through the tunnel'),
  '/routes/include/*': prefix,
  '/routes/exclude': prefixes('what does not, though an included network covers it'),
  '/routes/exclude/*': prefix,
  '/routes/allowLan': flag('networks that this computer is attached to stay reachable directly'),
  '/routes/fromGateway': flag('also route the networks that the gateway announces'),
  '/dns': section("the tunnel's name servers", '{ "domains": ["corp.example"] }'),
  '/dns/use': flag("ask the tunnel's name servers while it is up"),
  '/dns/servers': {
    expected: 'a list of addresses of name servers behind the gateway; null for those that the gateway names',
    example: '["10.0.0.53"]',
  },
  '/dns/servers/*': { expected: 'the IP address of a name server', example: '"10.0.0.53"' },
  '/dns/domains': {
    expected: "a list of domains that only the tunnel's name servers know; null for those that the gateway names",
    example: '["corp.example"]',
  },
  '/dns/domains/*': { expected: 'a domain name', example: '"corp.example"' },
  '/mtu': section('packet sizes', '{ "path": 1492 }'),
  '/mtu/value': {
    expected: 'the largest packet inside the tunnel, 576 to 8192 bytes; null to compute it',
    example: '1400',
  },
  '/mtu/path': { expected: 'the largest packet between you and the gateway, 576 to 8192 bytes', example: '1500' },
  '/mtu/mss': {
    expected: "TCP's largest segment inside the tunnel, 216 to 8152 bytes; 0 to leave it alone, null to compute it",
    example: '1360',
  },
  '/mtu/copyDscp': flag('copy the priority of inner packets to the outer ones'),
  '/mtu/outerDf': {
    expected:
      'whether routers may fragment outer IPv4 packets: "set" (no), "clear" (yes), "copy" (as the inner packet says)',
    example: '"copy"',
  },
  '/proposals': section('the algorithms to offer', '{ "esp": ["aes256gcm16"] }'),
  '/proposals/policy': {
    expected: '"default", or "legacy" for an old gateway: SHA-1 and groups 2 and 5 too, with a warning',
    example: '"legacy"',
  },
  '/proposals/ike': {
    expected: 'a list of proposals for IKE, the best first',
    example: '["aes256gcm16-prfsha384-ecp256"]',
  },
  '/proposals/ike/*': proposal('aes256gcm16-prfsha384-ecp256'),
  '/proposals/esp': { expected: 'a list of proposals for ESP, the best first', example: '["aes256gcm16"]' },
  '/proposals/esp/*': proposal('aes256gcm16'),
  '/timing': section('how long to wait', '{ "livenessSeconds": 30 }'),
  '/timing/livenessSeconds': {
    expected: 'seconds of silence before the gateway is asked for a sign of life, 1 to 3600; 0: never',
    example: '30',
  },
  '/timing/keepaliveSeconds': {
    expected: 'seconds between the packets that keep a NAT open, 1 to 300; 0: none',
    example: '20',
  },
  '/timing/connectSeconds': { expected: 'seconds to wait for the gateway when connecting, 1 to 600', example: '30' },
  '/timing/rekeySeconds': { expected: 'seconds until a CHILD SA is replaced, 5 to 2592000; 0: never', example: '3600' },
  '/timing/ikeRekeySeconds': {
    expected: 'seconds until the keys of the IKE SA are replaced, 5 to 2592000; 0: never',
    example: '14400',
  },
  '/timing/reauthSeconds': {
    expected: 'seconds until you prove anew who you are, 5 to 2592000; 0: only when the gateway asks for it',
    example: '28800',
  },
  '/timing/rekeyBytes': {
    expected: "bytes in one direction until a CHILD SA is replaced, 65536 or more; null for the cipher's own limit",
    example: '10000000000',
  },
  '/timing/rekeyPackets': {
    expected: "packets in one direction until a CHILD SA is replaced, 100 or more; null for the cipher's own limit",
    example: '1000000000',
  },
  '/locked': {
    expected: 'a list of JSON pointers to what only an administrator may change; "" is the whole profile',
    example: '["/routes", "/mtu/value"]',
  },
  '/locked/*': { expected: 'a JSON pointer to a section or a key of the profile', example: '"/routes"' },
  '/lockedBy': { expected: 'whose decision the locks are, 1 to 200 characters', example: '"Example Ltd, IT"' },
  '/overrides': section('what the person changed; written by the interface', '{ "mtu": { "value": 1380 } }'),
  '/overrides/routes': section('chosen instead of /routes', '{ "mode": "full" }'),
  '/overrides/routes/mode': {
    expected: '"full" (everything through the tunnel) or "split" (the included networks only)',
    example: '"full"',
  },
  '/overrides/routes/include': prefixes('what goes through the tunnel'),
  '/overrides/routes/include/*': prefix,
  '/overrides/routes/exclude': prefixes('what does not, though an included network covers it'),
  '/overrides/routes/exclude/*': prefix,
  '/overrides/routes/allowLan': flag('networks that this computer is attached to stay reachable directly'),
  '/overrides/routes/fromGateway': flag('also route the networks that the gateway announces'),
  '/overrides/mtu': section('chosen instead of /mtu', '{ "value": 1380 }'),
  '/overrides/mtu/value': {
    expected: 'the largest packet inside the tunnel, 576 to 8192 bytes; null to compute it',
    example: '1380',
  },
  '/overrides/mtu/path': {
    expected: 'the largest packet between you and the gateway, 576 to 8192 bytes',
    example: '1480',
  },
  // Last: a key in the wrong place is meant for the first of its name.
  ...AUTHENTICATION_FIELDS,
};

const POINTERS = Object.keys(FIELDS);

/** The table's key for a pointer into a file: list indexes become "*". */
function generic(pointer: string): string {
  return pointer.replace(/\/\d+(?=\/|$)/g, '/*');
}

export function fieldAt(pointer: string): Field | undefined {
  return Object.hasOwn(FIELDS, generic(pointer)) ? FIELDS[generic(pointer)] : undefined;
}

/** Names of the keys that an object at `pointer` may have. */
export function keysAt(pointer: string): readonly string[] {
  const prefixOf = `${generic(pointer)}/`;
  return POINTERS.filter((key) => key.startsWith(prefixOf))
    .map((key) => key.slice(prefixOf.length))
    .filter((key) => !key.includes('/') && key !== '*');
}

/** Pointers of every key with this last name, e.g. "key" → "/gre/key". */
export function pointersNamed(name: string): readonly string[] {
  return POINTERS.filter((key) => key.slice(key.lastIndexOf('/') + 1).toLowerCase() === name.toLowerCase());
}
