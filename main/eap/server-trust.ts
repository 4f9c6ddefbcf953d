// Whom the TLS methods believe, by this program's own rules for certificates (main/pki) instead of OpenSSL's: with revocation, and
// with words that say what is wrong.

import type { Identity } from '../ike/identity.ts';
import { isPkiError, PkiError } from '../pki/error.ts';
import type { Trust } from '../pki/trust.ts';
import { parseAddress } from '../wire/address.ts';
import type { EapTlsTrust } from './types.ts';

/** The certificate must be good for one of the names; for none where there are none. */
export function checkBy(trust: Trust, serverNames: readonly string[]): NonNullable<EapTlsTrust['check']> {
  return async (chain) => {
    let problem = new PkiError({ code: 'identity-mismatch', identity: 'a name of the profile', names: [] });
    for (const name of serverNames) {
      const found = await trust.check({ chain, identity: identityOf(name), purpose: 'tls-server' });
      if (!isPkiError(found)) return undefined;
      problem = found;
      // What is wrong with the certificate itself is so by any name.
      if (found.code !== 'identity-mismatch') break;
    }
    return problem;
  };
}

function identityOf(name: string): Identity {
  const address = parseAddress(name);
  return address ? { type: address.length === 4 ? 'ipv4' : 'ipv6', address } : { type: 'fqdn', text: name };
}
