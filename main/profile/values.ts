// Checks of single values: each returns what is wrong with the text, as the rest of the sentence "it …", or undefined.
import { ProposalError, type Protocol, parseProposal } from '../crypto/proposal.ts';
import { type Address, formatPrefix, parseAddress, parsePrefix, prefixRange, sameAddress } from '../wire/address.ts';
import { domainOf } from '../wire/domain.ts';

export type Wrong = string | undefined;

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8');

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

export function wrongName(text: string): Wrong {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text) ? undefined : 'cannot be the name of a profile.';
}

/** A host name (RFC 1123 §2.1) or an address. */
export function wrongHost(text: string): Wrong {
  if (parseAddress(text)) return undefined;
  if (text.includes('://')) return 'is a web address; only the host name belongs here.';
  if (/^[^:]+:\d+$/.test(text)) return 'has a port; ports have keys of their own ("port" and "nattPort").';
  if (/^[\d.]+$/.test(text) || text.includes(':')) return 'is not an IP address.';
  if (
    text.length > 253 ||
    !/^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/.test(
      text,
    )
  )
    return 'is neither a host name nor an IP address.';
  return undefined;
}

/** Identities as session/identity.ts reads them (RFC 7296 §3.5). */
export function wrongIdentity(text: string): Wrong {
  if (text === '') return 'is empty; leave the key out, or write null.';
  if (text !== text.trim()) return 'has spaces around it.';
  if (CONTROL.test(text)) return 'contains control characters.';
  if (bytesOf(text) > 255) return 'is longer than 255 bytes.';
  if (text === '%any') return 'is strongSwan\'s word for "whoever"; write null.';
  if (text.startsWith('key-id:')) {
    const rest = text.slice('key-id:'.length);
    if (rest === '') return 'has nothing after "key-id:".';
    if (/^0x/i.test(rest) && !/^0x([0-9a-f]{2})+$/i.test(rest))
      return 'has an odd number of hexadecimal digits, or other characters, after "key-id:0x".';
    return undefined;
  }
  if (/^\d+(\.\d+){3}$/.test(text) && !parseAddress(text)) return 'looks like an IPv4 address, but is not one.';
  return undefined;
}

/** A name, a password or the like: something, and nothing that a terminal would obey. */
export function wrongText(text: string): Wrong {
  if (text === '') return 'is empty; leave the key out.';
  if (CONTROL.test(text)) return 'contains control characters.';
  return bytesOf(text) > 1024 ? 'is longer than 1024 bytes.' : undefined;
}

const isUnspecified = (address: Address): boolean => address.every((byte) => byte === 0);
const isMulticast = (address: Address): boolean =>
  address.length === 4 ? address[0]! >= 224 && address[0]! <= 239 : address[0] === 0xff;

/** The address of one computer. */
export function wrongHostAddress(text: string): Wrong {
  const address = parseAddress(text);
  if (!address)
    return text.includes('/') ? 'has a prefix length; a bare address belongs here.' : 'is not an IP address.';
  if (isUnspecified(address)) return 'is the unspecified address, not one of a computer.';
  if (isMulticast(address)) return 'is a multicast address, not one of a computer.';
  return undefined;
}

/** An address of a computer and its network: "10.88.0.2/24". */
export function wrongInterfaceAddress(text: string): Wrong {
  const prefix = parsePrefix(text);
  if (!prefix) return 'is not an address with a prefix length.';
  const wrong = wrongHostAddress(text.split('/')[0]!);
  if (wrong) return wrong;
  const { start, end } = prefixRange(prefix);
  const most = prefix.address.length * 8;
  // Networks of two addresses have neither network nor broadcast address (RFC 3021, RFC 6164).
  if (prefix.bits >= most - 1) return undefined;
  if (sameAddress(start, prefix.address)) return 'is the network itself, not an address in it.';
  if (most === 32 && sameAddress(end, prefix.address)) return "is the network's broadcast address.";
  return undefined;
}

/** A network without host bits: "10.0.0.0/8", "0.0.0.0/0"; an address alone is a network of one. */
export function wrongNetwork(text: string): Wrong {
  const prefix = parsePrefix(text);
  if (!prefix) return 'is not a network in CIDR notation.';
  const { start } = prefixRange(prefix);
  if (!sameAddress(start, prefix.address))
    return `has bits set behind its prefix length; did you mean ${formatPrefix({ address: start, bits: prefix.bits })}?`;
  if (prefix.bits > 0 && isMulticast(prefix.address)) return 'is multicast, which does not go through this tunnel.';
  return undefined;
}

/** A domain of the tunnel's name servers: "corp.example". */
export function wrongDomain(text: string): Wrong {
  if (text === '.' || text === '') return 'is every name; leave the key out for that.';
  if (text.startsWith('*.') && domainOf(text.slice(2)))
    return `has a "*."; names under a domain are meant anyway: ${text.slice(2)}.`;
  return domainOf(text) ? undefined : 'is not a domain name (international names are written with "xn--").';
}

export function wrongInterfaceName(text: string): Wrong {
  if (!/^[A-Za-z0-9_-]*(%d)?[A-Za-z0-9_-]*$/.test(text)) return 'has characters that a network interface cannot have.';
  if (text.length < 1 || text.length > 15) return 'is not 1 to 15 characters long.';
  if (text === 'all' || text === 'default' || text === 'lo') return 'is taken by the system.';
  return undefined;
}

export function wrongProposal(text: string, protocol: Protocol): Wrong {
  try {
    parseProposal(text, protocol);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProposalError)) throw error;
    const problem = error.message.replace(/^proposal ".*?": /s, '');
    return `cannot be used: ${problem}; ${error.remedy}.`;
  }
}

/** A JSON pointer (RFC 6901) to what a lock may cover; "" is the whole profile. */
export function wrongPointer(text: string): Wrong {
  return /^(\/[A-Za-z]+){0,2}$/.test(text) ? undefined : 'is not a JSON pointer to a section or a key of a profile.';
}
