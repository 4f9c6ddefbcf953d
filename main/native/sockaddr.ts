// struct sockaddr_in and sockaddr_in6 (netinet/in.h) as bytes: the family in host order, port and address in network order.
//
//   sockaddr_in   family u16 | port u16 | address 4 | zero 8                            16 bytes
//   sockaddr_in6  family u16 | port u16 | flow info 4 | address 16 | scope id 4         28 bytes
import { AF_INET, AF_INET6 } from './constants.ts';

export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;
/** A slot for either. */
export const SOCKADDR_SLOT_BYTES = 32;

/** `address` is 4 or 16 bytes, network order; `port` in host order. Returns how many bytes were written at `offset`. */
export function encodeSockaddr(address: Uint8Array, port: number, into: Uint8Array, offset = 0): number {
  const four = address.length === 4;
  const length = four ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
  into.fill(0, offset, offset + length);
  into[offset] = four ? AF_INET : AF_INET6;
  into[offset + 2] = port >> 8;
  into[offset + 3] = port & 0xff;
  into.set(address, offset + (four ? 4 : 8));
  return length;
}

export function sockaddrOf(address: Uint8Array, port: number): Uint8Array {
  const bytes = new Uint8Array(address.length === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  encodeSockaddr(address, port, bytes);
  return bytes;
}

/** A copy of the address and port at `offset`; undefined where the family is neither IPv4 nor IPv6. */
export function decodeSockaddr(
  bytes: Uint8Array,
  offset = 0,
): { readonly address: Uint8Array; readonly port: number } | undefined {
  const family = bytes[offset]! | (bytes[offset + 1]! << 8);
  const port = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  if (family === AF_INET) return { address: bytes.slice(offset + 4, offset + 8), port };
  if (family === AF_INET6) return { address: bytes.slice(offset + 8, offset + 24), port };
  return undefined;
}
