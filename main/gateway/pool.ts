// The pool of virtual addresses (RFC 7296 §2.19): one a client and family, the same one again for the same client where
// it is still free. The first host address of each prefix is the gateway's own.
import type { Address, Prefix } from '../wire/address.ts';
import { prefixRange } from '../wire/address.ts';
import { sameBytes } from '../wire/bytes.ts';

export interface Pool {
  /** The gateway's own address in the prefix, with its length. */
  readonly own: Prefix;
  /** undefined: every address is taken. */
  lease(client: string): Address | undefined;
  /** Throws where the address is not leased. */
  release(address: Address): void;
  readonly leased: number;
}

/** A client may be given one of this many addresses, however wide the prefix. */
const MOST = 65_536;

/** Throws RangeError on a prefix without room for the gateway and one client. */
export function createPool(prefix: Prefix): Pool {
  const { start } = prefixRange(prefix);
  const hostBits = start.length * 8 - prefix.bits;
  // IPv4: neither the network's nor the broadcast address. IPv6 has no broadcast; its first address means any router.
  const last = Math.min(2 ** Math.min(hostBits, 32) - (start.length === 4 ? 2 : 1), MOST);
  if (last < 2) throw new RangeError('the pool has no room for the gateway and one client');
  const taken = new Map<number, string>();
  const before = new Map<string, number>();
  const own = offsetAddress(start, 1);
  let next = 2;

  function take(number: number, client: string): Address {
    taken.set(number, client);
    before.set(client, number);
    return offsetAddress(start, number);
  }

  return {
    own: { address: own, bits: prefix.bits },
    lease(client) {
      const usual = before.get(client);
      if (usual !== undefined && !taken.has(usual)) return take(usual, client);
      // Round robin, so that an address rests before another client gets it.
      for (let tries = 2; tries <= last; tries++) {
        const number = next;
        next = next >= last ? 2 : next + 1;
        if (!taken.has(number)) return take(number, client);
      }
      return undefined;
    },
    release(address) {
      const number = [...taken.keys()].find((candidate) => sameBytes(offsetAddress(start, candidate), address));
      if (number === undefined) throw new Error('released an address that is not leased');
      taken.delete(number);
    },
    get leased() {
      return taken.size;
    },
  };
}

function offsetAddress(start: Address, offset: number): Address {
  const address = Uint8Array.from(start);
  for (let i = address.length - 1, left = offset; left > 0; i--, left = Math.floor(left / 256)) {
    const sum = address[i]! + (left % 256);
    // The start of a prefix has zeros where the offset counts: no carry.
    address[i] = sum;
  }
  return address;
}
