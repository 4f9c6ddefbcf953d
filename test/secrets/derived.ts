// Hears of every key that is derived in this process, without a door in the product: the module that derives them is replaced by one
// that calls it and remembers. Tests replace it so:
//
//   vi.mock('../../main/ike/keymat.ts', async (load) => (await import('./derived.ts')).hearingKeymat(await load<Keymat>()));
//   vi.mock('../../main/ike/auth/ppk.ts', async (load) => (await import('./derived.ts')).hearingPpk(await load<Mixing>()));
import type * as mixing from '../../main/ike/auth/ppk.ts';
import type * as keymat from '../../main/ike/keymat.ts';

export type Keymat = typeof keymat;
export type Mixing = typeof mixing;

/** `bytes` is the very array that the product holds; who wants to remember its value copies it now. */
export type Listener = (name: string, bytes: Uint8Array) => void;

let listener: Listener = () => {};

/** Until the next call. */
export function hearDerivedKeys(next: Listener): void {
  listener = next;
}

export const hearingKeymat = (real: Keymat): Keymat => ({
  ...real,
  deriveIkeKeys(prf, lengths, from) {
    const { sharedSecret, Ni, Nr, rekeyed } = from;
    // In its place RFC 5723 §5.1 has a word that anybody may know.
    if (Buffer.from(sharedSecret).toString('latin1') !== 'Resumption') listener('g^ir', sharedSecret);
    for (const secret of rekeyed?.additional ?? []) listener('SK(n)', secret);
    // Computed here once more: in the product it is gone by the time that the keys are returned.
    const SKEYSEED = rekeyed
      ? rekeyed.prf.compute(rekeyed.SK_d, real.concat(sharedSecret, Ni, Nr, ...rekeyed.additional))
      : prf.compute(real.concat(Ni, Nr), sharedSecret);
    listener('SKEYSEED', Uint8Array.from(SKEYSEED));
    const keys = real.deriveIkeKeys(prf, lengths, from);
    for (const [name, key] of Object.entries(keys)) listener(name, key);
    return keys;
  },
  deriveChildKeys(prf, SK_d, nonces, lengths) {
    for (const secret of nonces.secrets ?? []) listener('g^ir of a CHILD SA', secret);
    const keys = real.deriveChildKeys(prf, SK_d, nonces, lengths);
    for (const [name, key] of Object.entries(keys)) listener(`ESP ${name}`, key);
    return keys;
  },
});

export const hearingPpk = (real: Mixing): Mixing => ({
  ...real,
  mixPpk(prf, ppk, keys) {
    const mixed = real.mixPpk(prf, ppk, keys);
    for (const [name, key] of Object.entries(mixed)) listener(`${name} with PPK`, key);
    return mixed;
  },
});
