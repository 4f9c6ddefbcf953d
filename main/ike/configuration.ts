// What the attributes of a configuration payload mean (RFC 7296 §3.15.1): the initiator's request, the responder's reply, and
// both read back. The program's name and version are neither sent nor asked for: they would only help an attacker.
import type { Address, Prefix } from '../wire/address.ts';
import { domainOf } from '../wire/domain.ts';
import type { PayloadOf } from './payload/payload.ts';

/** IANA "IKEv2 Configuration Payload Attribute Types". */
export const ConfigurationAttribute = {
  INTERNAL_IP4_ADDRESS: 1,
  INTERNAL_IP4_NETMASK: 2,
  INTERNAL_IP4_DNS: 3,
  APPLICATION_VERSION: 7,
  INTERNAL_IP6_ADDRESS: 8,
  INTERNAL_IP6_DNS: 10,
  INTERNAL_IP4_SUBNET: 13,
  INTERNAL_IP6_SUBNET: 15,
  /** RFC 8598 §7. INTERNAL_DNSSEC_TA (26) is not asked for: it would let the gateway vouch for names (§8). */
  INTERNAL_DNS_DOMAIN: 25,
} as const;

/** Addresses and servers from the configuration payload (RFC 7296 §3.15). */
export interface Configuration {
  readonly addresses: readonly Prefix[];
  readonly dns: readonly Address[];
  /** INTERNAL_IP4_SUBNET / INTERNAL_IP6_SUBNET: what lies behind the gateway. */
  readonly subnets: readonly Prefix[];
  /** INTERNAL_DNS_DOMAIN: names for which `dns` are the only servers (RFC 8598), lower case, without a last dot. */
  readonly domains?: readonly string[] | undefined;
  readonly applicationVersion: string | undefined;
}

/** What a responder answers with: asked once per new peer, after its identity is proved. */
export interface AddressLease {
  readonly addresses: readonly Prefix[];
  readonly dns: readonly Address[];
  readonly subnets: readonly Prefix[];
  /** Sent to who asks for them, and with `dns` only (RFC 8598 §3.2). */
  readonly domains?: readonly string[] | undefined;
}

type Attribute = PayloadOf<'cp'>['attributes'][number];
type Family = 4 | 6;

const A = ConfigurationAttribute;
const EMPTY = new Uint8Array(0);
const LONGEST_VERSION = 128;
/** So many are taken from one reply: no network needs more, and each costs work at every change of the tunnel. */
const MOST = { addresses: 8, dns: 8, subnets: 256, domains: 64 };

/** CFG_REQUEST for an address of each family and what belongs to it; undefined where nothing is wanted. */
export function configurationRequest(families: readonly Family[]): PayloadOf<'cp'> | undefined {
  if (families.length === 0) return undefined;
  const ask = (type: number): Attribute => ({ type, value: EMPTY });
  const attributes = families.flatMap((family) =>
    family === 4
      ? [A.INTERNAL_IP4_ADDRESS, A.INTERNAL_IP4_NETMASK, A.INTERNAL_IP4_DNS, A.INTERNAL_IP4_SUBNET].map(ask)
      : [A.INTERNAL_IP6_ADDRESS, A.INTERNAL_IP6_DNS, A.INTERNAL_IP6_SUBNET].map(ask),
  );
  return { kind: 'cp', type: 'request', attributes: [...attributes, ask(A.INTERNAL_DNS_DOMAIN)] };
}

/** Does the request say that its sender can do split DNS (RFC 8598 §3.1)? */
export function requestsDomains(request: PayloadOf<'cp'>): boolean {
  return request.attributes.some((attribute) => attribute.type === A.INTERNAL_DNS_DOMAIN);
}

/** Families of which the request wants an address. */
export function requestedFamilies(request: PayloadOf<'cp'>): Family[] {
  const asks = (type: number): boolean => request.attributes.some((attribute) => attribute.type === type);
  return [...(asks(A.INTERNAL_IP4_ADDRESS) ? [4 as const] : []), ...(asks(A.INTERNAL_IP6_ADDRESS) ? [6 as const] : [])];
}

/** CFG_REPLY that hands out a lease. */
export function configurationReply(lease: AddressLease): PayloadOf<'cp'> {
  const attributes: Attribute[] = [];
  for (const { address, bits } of lease.addresses) {
    if (address.length === 4) {
      attributes.push({ type: A.INTERNAL_IP4_ADDRESS, value: address });
      // RFC 7296 §3.15.1: at most one netmask; one for a lone host would say nothing.
      if (bits < 32 && !attributes.some((attribute) => attribute.type === A.INTERNAL_IP4_NETMASK))
        attributes.push({ type: A.INTERNAL_IP4_NETMASK, value: netmask(bits) });
    } else attributes.push({ type: A.INTERNAL_IP6_ADDRESS, value: Uint8Array.of(...address, bits) });
  }
  for (const server of lease.dns)
    attributes.push({ type: server.length === 4 ? A.INTERNAL_IP4_DNS : A.INTERNAL_IP6_DNS, value: server });
  for (const { address, bits } of lease.subnets)
    attributes.push(
      address.length === 4
        ? { type: A.INTERNAL_IP4_SUBNET, value: Uint8Array.of(...address, ...netmask(bits)) }
        : { type: A.INTERNAL_IP6_SUBNET, value: Uint8Array.of(...address, bits) },
    );
  // RFC 8598 §3.2: domains only beside the servers that know them.
  if (lease.dns.length > 0)
    for (const domain of lease.domains ?? [])
      attributes.push({ type: A.INTERNAL_DNS_DOMAIN, value: new TextEncoder().encode(domain) });
  return { kind: 'cp', type: 'reply', attributes };
}

export const NO_CONFIGURATION: Configuration = { addresses: [], dns: [], subnets: [], applicationVersion: undefined };

/**
 * Reads a CFG_REPLY. Attributes that we do not know, or that are malformed, are skipped (RFC 7296 §3.15.1: the rest of the reply
 * is still good): an address that cannot be read is an address that was not given.
 */
export function readConfiguration(reply: PayloadOf<'cp'>): Configuration {
  const addresses: Prefix[] = [];
  const dns: Address[] = [];
  const subnets: Prefix[] = [];
  const domains: string[] = [];
  let applicationVersion: string | undefined;
  const mask = reply.attributes.find(({ type, value }) => type === A.INTERNAL_IP4_NETMASK && value.length === 4)?.value;
  for (const { type, value } of reply.attributes)
    switch (type) {
      case A.INTERNAL_IP4_ADDRESS:
        if (value.length === 4) addresses.push({ address: value, bits: (mask && maskBits(mask)) ?? 32 });
        break;
      case A.INTERNAL_IP6_ADDRESS:
        if (value.length === 17 && value[16]! <= 128) addresses.push({ address: value.slice(0, 16), bits: value[16]! });
        else if (value.length === 16) addresses.push({ address: value, bits: 128 });
        break;
      case A.INTERNAL_IP4_DNS:
        if (value.length === 4) dns.push(value);
        break;
      case A.INTERNAL_IP6_DNS:
        if (value.length === 16) dns.push(value);
        break;
      case A.INTERNAL_IP4_SUBNET: {
        const bits = value.length === 8 ? maskBits(value.subarray(4)) : undefined;
        if (bits !== undefined) subnets.push({ address: value.slice(0, 4), bits });
        break;
      }
      case A.INTERNAL_IP6_SUBNET:
        if (value.length === 17 && value[16]! <= 128) subnets.push({ address: value.slice(0, 16), bits: value[16]! });
        break;
      case A.INTERNAL_DNS_DOMAIN: {
        // A null at the end is a mistake that RFC 8598 §4.1 warns of: forgiven.
        const domain = domainOf(String.fromCharCode(...value.subarray(0, 256)).replace(/\0+$/, ''));
        if (domain !== undefined && !domains.includes(domain) && domains.length < MOST.domains) domains.push(domain);
        break;
      }
      case A.APPLICATION_VERSION:
        // For people's eyes: printable ASCII, and not a novel.
        applicationVersion = String.fromCharCode(...value.subarray(0, LONGEST_VERSION)).replaceAll(/[^ -~]/g, '?');
        break;
      default:
        break;
    }
  return {
    addresses: addresses.slice(0, MOST.addresses),
    dns: dns.slice(0, MOST.dns),
    subnets: subnets.slice(0, MOST.subnets),
    ...(domains.length > 0 ? { domains } : {}),
    applicationVersion,
  };
}

function netmask(bits: number): Uint8Array {
  const value = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** Leading ones; undefined for a mask with holes. */
function maskBits(mask: Uint8Array): number | undefined {
  const value = ((mask[0]! << 24) | (mask[1]! << 16) | (mask[2]! << 8) | mask[3]!) >>> 0;
  const bits = Math.clz32(~value);
  return netmask(bits).every((byte, i) => byte === mask[i]) ? bits : undefined;
}
