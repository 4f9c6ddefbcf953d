// Identities as people read them, and their comparison (RFC 7296 §3.5).
import { formatAddress, sameAddress } from '../wire/address.ts';
import type { Identity } from './types.ts';

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
      return `${identity.type}:${Buffer.from(identity.bytes).toString('hex')}`;
  }
}

/** Names are compared without regard to ASCII case, everything else byte by byte. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  switch (a.type) {
    case 'ipv4':
    case 'ipv6':
      return a.type === b.type && sameAddress(a.address, b.address);
    case 'fqdn':
    case 'rfc822':
      return a.type === b.type && a.text.toLowerCase() === b.text.toLowerCase();
    case 'key-id':
    case 'der-dn':
    case 'der-gn':
      return a.type === b.type && Buffer.from(a.bytes).equals(b.bytes);
  }
}
