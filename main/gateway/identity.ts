// Identities as configuration files write them (RFC 7296 §3.5), in the notation of profiles: an address,
// "alice@example.com" (ID_RFC822_ADDR), "key-id:…" (ID_KEY_ID: hexadecimal after 0x, else the text's own bytes), and anything
// else a host name (ID_FQDN).
import type { Identity } from '../ike/types.ts';
import { parseAddress } from '../wire/address.ts';

const KEY_ID = 'key-id:';

export function parseIdentity(text: string): Identity {
  const address = parseAddress(text);
  if (address) return { type: address.length === 4 ? 'ipv4' : 'ipv6', address };
  if (text.startsWith(KEY_ID)) {
    const rest = text.slice(KEY_ID.length);
    const hexadecimal = /^0x((?:[0-9a-f]{2})+)$/i.exec(rest)?.[1];
    return { type: 'key-id', bytes: Buffer.from(hexadecimal ?? rest, hexadecimal ? 'hex' : 'utf8') };
  }
  return { type: text.includes('@') ? 'rfc822' : 'fqdn', text };
}
