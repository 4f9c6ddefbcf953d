import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CryptoUnavailable, checkCrypto, missingCrypto } from '../../main/crypto/check.ts';
import { scripted, seeded } from './seeded.ts';

describe('checkCrypto', () => {
  test('finds everything on this platform', () => {
    expect(missingCrypto(randomBytes)).toEqual([]);
    expect(() => checkCrypto(seeded(1))).not.toThrow();
  });

  test('names what fails and says what to do', () => {
    // A random source that gives nothing makes every key exchange fail.
    const missing = missingCrypto(scripted());
    expect(missing).toEqual(['ECP-256', 'X25519', 'ECP-384', 'ECP-521', 'MODP-2048']);
    expect(() => checkCrypto(scripted())).toThrow(CryptoUnavailable);
    expect(new CryptoUnavailable(missing)).toMatchObject({
      message: expect.stringContaining('cannot do ECP-256, X25519'),
      remedy: expect.stringContaining('Node.js'),
    });
  });
});
