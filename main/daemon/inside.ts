// Which addresses are this computer's own or of its networks, and which names stand for such. Whoever fetches something that a
// stranger named must not be led there.
import { BlockList, isIP } from 'node:net';

/** This host, private, link-local, shared, multicast and reserved addresses (RFC 6890, RFC 5771, RFC 4291 §2.7). */
const inside = new BlockList();
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(network, length, 'ipv4');
  // IPv4-mapped (RFC 4291 §2.5.5.2), IPv4-compatible (§2.5.5.1), behind NAT64 (RFC 6052 §2.1).
  for (const prefix of ['::ffff:', '::', '64:ff9b::']) inside.addSubnet(`${prefix}${network}`, 96 + length, 'ipv6');
}
inside.addSubnet('::', 127, 'ipv6');
inside.addSubnet('64:ff9b:1::', 48, 'ipv6');
inside.addSubnet('fc00::', 7, 'ipv6');
inside.addSubnet('fe80::', 9, 'ipv6');
inside.addSubnet('ff00::', 8, 'ipv6');

/** True also for what is no address. */
export function isInsideAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  return family === 0 || inside.check(bare, family === 4 ? 'ipv4' : 'ipv6') || isInside6to4(bare);
}

/** 6to4 (RFC 3056 §2) has an IPv4 address after 2002:, Teredo (RFC 4380 §4) hides one: no server of a company is reached so. */
const isInside6to4 = (address: string): boolean => /^(?:2002:|2001:0{0,4}:)/i.test(address);

/** Names that public DNS never answers: this computer (RFC 6761 §6.3), its link (RFC 6762 §3), its site (RFC 8375, and `internal`). */
const OWN_NAMES = ['localhost', 'local', 'internal', 'home.arpa'];

/** `host`: of a URL, an IPv6 address without its brackets. */
export function isInsideName(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return OWN_NAMES.some((own) => name === own || name.endsWith(`.${own}`)) || !name.includes('.');
}
