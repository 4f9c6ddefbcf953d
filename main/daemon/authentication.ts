// What sessions need of this computer to authenticate: key stores, and a way to fetch CRLs and OCSP answers past the tunnel, because
// the tunnel waits for them.
import { loadPkcs11 } from '../native/pkcs11.ts';
import { connectMarked } from '../net/socket/linux-marked.ts';
import { httpFetch } from '../pki/fetch.ts';
import type { KeyStore } from '../pki/key-store.ts';
import { pkcs11Store } from '../pki/pkcs11-store.ts';
import type { SessionDeps } from '../session/deps.ts';
import { type Address, parseAddress } from '../wire/address.ts';

/** `mark`: of the engine's own traffic. `note` tells of a token library that cannot be loaded. */
export function engineAuthentication(
  mark: number,
  environment: NodeJS.ProcessEnv,
  note: (text: string) => void,
  resolve: (host: string) => Promise<readonly Address[]>,
): NonNullable<SessionDeps['authentication']> {
  return {
    keyStores: keyStoresOf(environment, note),
    fetch: httpFetch(async (host, port, signal) => {
      const literal = parseAddress(host);
      const address = literal ?? (await resolve(host))[0];
      if (!address) throw new Error(`${host} has no address`);
      return connectMarked({ address, port }, mark, signal);
    }),
    revocationCache: new Map(),
  };
}

/**
 * CULVERT_PKCS11 names the libraries of tokens: "card=/usr/lib/opensc-pkcs11.so,hsm=/usr/lib/softhsm/libsofthsm2.so". It is part of the
 * service's own set-up, because these libraries run inside the engine: no profile can name a path.
 */
function keyStoresOf(environment: NodeJS.ProcessEnv, note: (text: string) => void): ReadonlyMap<string, KeyStore> {
  const stores = new Map<string, KeyStore>();
  for (const entry of (environment.CULVERT_PKCS11 ?? '').split(',').filter((text) => text !== '')) {
    const [name, path] = entry.split('=', 2);
    if (!name || !path?.startsWith('/')) {
      note(`CULVERT_PKCS11 has "${entry}", which is not of the form name=/path/of/library.so.`);
      continue;
    }
    try {
      stores.set(name, pkcs11Store({ module: loadPkcs11(path) }));
    } catch (error) {
      note(`The token library ${path} cannot be loaded: ${error instanceof Error ? error.message : error}`);
    }
  }
  return stores;
}
