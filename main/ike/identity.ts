// Identities as people write and read them, and their comparison (RFC 7296 §3.5). Written: an address,
// "alice@example.com" (ID_RFC822_ADDR), "key-id:…" (ID_KEY_ID: hexadecimal after 0x, else the text's own bytes), and anything
// else a host name (ID_FQDN).
import { type Address, formatAddress, parseAddress, sameAddress } from '../wire/address.ts';

/** An identity (RFC 7296 §3.5). */
export type Identity =
  | { readonly type: 'ipv4' | 'ipv6'; readonly address: Address }
  | { readonly type: 'fqdn' | 'rfc822'; readonly text: string }
  | { readonly type: 'key-id' | 'der-dn' | 'der-gn'; readonly bytes: Uint8Array };

const KEY_ID = 'key-id:';

export function identityOfAddress(address: Address): Identity {
  return { type: address.length === 4 ? 'ipv4' : 'ipv6', address };
}

export function parseIdentity(text: string): Identity {
  const address = parseAddress(text);
  if (address) return identityOfAddress(address);
  if (text.startsWith(KEY_ID)) {
    const rest = text.slice(KEY_ID.length);
    const hexadecimal = /^0x((?:[0-9a-f]{2})+)$/i.exec(rest)?.[1];
    const bytes = hexadecimal ? Buffer.from(hexadecimal, 'hex') : Buffer.from(rest, 'utf8');
    return { type: 'key-id', bytes: Uint8Array.from(bytes) };
  }
  return { type: text.includes('@') ? 'rfc822' : 'fqdn', text };
}

export function formatIdentity(identity: Identity): string {
  switch (identity.type) {
    case 'ipv4':
    case 'ipv6':
      return formatAddress(identity.address);
    case 'fqdn':
    case 'rfc822':
      // From the peer: no control or direction-changing character may reach a terminal.
      return identity.text.replaceAll(/[\p{C}\u2028\u2029]/gu, '?');
    case 'key-id':
    case 'der-dn':
    case 'der-gn':
      return `${identity.type}:0x${Buffer.from(identity.bytes).toString('hex')}`;
  }
}

/** Not toLowerCase, to which the Kelvin sign is a k: names that only look alike are of different people (RFC 4343 §3). */
const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Names are compared without regard to ASCII case, everything else byte by byte. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  switch (a.type) {
    case 'ipv4':
    case 'ipv6':
      return a.type === b.type && sameAddress(a.address, b.address);
    case 'fqdn':
    case 'rfc822':
      return a.type === b.type && lowerAscii(a.text) === lowerAscii(b.text);
    case 'key-id':
    case 'der-dn':
    case 'der-gn':
      return a.type === b.type && Buffer.from(a.bytes).equals(b.bytes);
  }
}
