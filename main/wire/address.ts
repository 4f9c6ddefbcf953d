// IP addresses as bytes. Inside the engine an address is always its 4 or 16 bytes in network order; text exists only at
// the edges (profiles, the command line, messages to people).
import ipaddr from 'ipaddr.js';
import { sameBytes } from './bytes.ts';

/** 4 bytes (IPv4) or 16 bytes (IPv6), network order. */
export type Address = Uint8Array;

/** `bits` leading bits of `address` are the network (0-32 or 0-128). */
export interface Prefix {
  readonly address: Address;
  readonly bits: number;
}

/** An address with a UDP port (host order). */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** Parses "192.0.2.1" or "2001:db8::1"; undefined where the text is neither. */
export function parseAddress(text: string): Address | undefined {
  // ipaddr.js also takes "10.1" and "0x7f.1"; people who write those made a typing error.
  if (text.includes(':') ? !ipaddr.IPv6.isValid(text) : !ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return Uint8Array.from(ipaddr.parse(text).toByteArray());
}

export function formatAddress(address: Address): string {
  return ipaddr.fromByteArray(Array.from(address)).toString();
}

/** Parses "10.0.0.0/8"; an address without a length is a host. Host bits may be set ("10.88.0.2/24"). */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address) return undefined;
  const most = address.length * 8;
  if (slash < 0) return { address, bits: most };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > most) return undefined;
  return { address, bits: Number(digits) };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.bits}`;
}

export function formatEndpoint(endpoint: Endpoint): string {
  const text = formatAddress(endpoint.address);
  return endpoint.address.length === 16 ? `[${text}]:${endpoint.port}` : `${text}:${endpoint.port}`;
}

export const sameAddress: (a: Address, b: Address) => boolean = sameBytes;

/** Below 0, 0 or above 0, in numeric order; an IPv4 address comes before every IPv6 one. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** First and last address of a prefix, both inclusive. */
export function prefixRange(prefix: Prefix): { readonly start: Address; readonly end: Address } {
  const start = Uint8Array.from(prefix.address);
  const end = Uint8Array.from(prefix.address);
  for (let i = 0; i < start.length; i++) {
    const keep = Math.min(8, Math.max(0, prefix.bits - i * 8));
    const mask = (0xff << (8 - keep)) & 0xff;
    start[i] = start[i]! & mask;
    end[i] = end[i]! | (~mask & 0xff);
  }
  return { start, end };
}
