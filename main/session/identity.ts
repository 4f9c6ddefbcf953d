// Identities as profiles write them (RFC 7296 §3.5): an address, "alice@example.com" (ID_RFC822_ADDR), "key-id:…"
// (ID_KEY_ID: hexadecimal after 0x, else the text's own bytes), and anything else a host name (ID_FQDN).
import type { Identity } from '../ike/types.ts';
import { type Address, parseAddress } from '../wire/address.ts';

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
