// How PKCS#12 files are encrypted: PBES2 (RFC 8018 §6.2: PBKDF2 and AES or triple DES, as OpenSSL 3 and Windows 10 make them) and the
// old ways of RFC 7292 Appendix C (triple DES, and RC2 for certificates). Also the file's MAC, which tells a wrong passphrase.
import { createDecipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { BaseBlock } from 'asn1js';
import { equalConstantTime } from '../crypto/constant-time.ts';
import { lib } from './libraries.ts';
import { rc2CbcDecrypt } from './rc2.ts';
import { children, oidOf, type StretchingBudget, stretchingOf } from './stretching.ts';

/** `unsupported`: its algorithms; `wrong`: what came out cannot be right, so the passphrase is not; `costly`: beyond the budget. */
export type Decrypted =
  | Uint8Array
  | { readonly failed: 'unsupported' | 'wrong' | 'costly'; readonly algorithm: string };

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};
/** RFC 7292 Appendix C. */
const OLD: Readonly<Record<string, { readonly cipher: 'des-ede3-cbc' | 'rc2'; readonly keyBytes: number }>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyBytes: 5 },
};
const DIGESTS: Readonly<Record<string, { readonly name: string; readonly block: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', block: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', block: 128 },
};

/** `algorithm` is the AlgorithmIdentifier of the encryption, decoded. */
export function decrypt(
  algorithm: BaseBlock,
  passphrase: string,
  data: Uint8Array,
  budget: StretchingBudget,
): Decrypted {
  const [oid, parameters] = children(algorithm);
  const name = oidOf(oid);
  // The old ways derive a key of up to two hashes and an IV.
  if (!budget.spend(stretchingOf(algorithm) * (name === PBES2 ? 1 : 3))) return { failed: 'costly', algorithm: name };
  return name === PBES2 ? decryptPbes2(parameters, passphrase, data) : decryptOld(name, parameters, passphrase, data);
}

function decryptPbes2(parameters: BaseBlock | undefined, passphrase: string, data: Uint8Array): Decrypted {
  const [derivation, scheme] = children(parameters);
  const [kdf, kdfParameters] = children(derivation);
  const [cipherOid, ivBlock] = children(scheme);
  const cipher = CIPHERS[oidOf(cipherOid)];
  const [saltBlock, iterationsBlock, ...rest] = children(kdfParameters);
  // keyLength is optional, and the PRF is HMAC-SHA-1 where it is not named (RFC 8018 §5.2).
  const prf = rest.find((block) => block instanceof lib.ber.Sequence);
  const hash = prf ? HMACS[oidOf(children(prf)[0])] : 'sha1';
  const salt = octetsOf(saltBlock);
  const iterations = integerOf(iterationsBlock);
  const iv = octetsOf(ivBlock);
  if (oidOf(kdf) !== PBKDF2 || !cipher || !hash || !salt || !iterations || !iv)
    return { failed: 'unsupported', algorithm: `PBES2 with ${oidOf(kdf)} and ${oidOf(cipherOid)}` };
  const key = pbkdf2Sync(passphrase, salt, iterations, cipher.keyBytes, hash);
  return decipher(cipher.name, key, iv, data);
}

function decryptOld(name: string, parameters: BaseBlock | undefined, passphrase: string, data: Uint8Array): Decrypted {
  const old = OLD[name];
  const [saltBlock, iterationsBlock] = children(parameters);
  const salt = octetsOf(saltBlock);
  const iterations = integerOf(iterationsBlock);
  if (!old || !salt || !iterations) return { failed: 'unsupported', algorithm: name };
  const sha1 = { name: 'sha1', block: 64 };
  const key = derive(sha1, 1, passphrase, salt, iterations, old.keyBytes);
  const iv = derive(sha1, 2, passphrase, salt, iterations, 8);
  if (old.cipher !== 'rc2') return decipher(old.cipher, key, iv, data);
  const padded = rc2CbcDecrypt(key, old.keyBytes * 8, iv, data);
  key.fill(0);
  const padding = padded?.at(-1) ?? 0;
  if (!padded || padding < 1 || padding > 8 || !padded.subarray(-padding).every((byte) => byte === padding))
    return { failed: 'wrong', algorithm: 'RC2' };
  return padded.subarray(0, -padding);
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Decrypted {
  try {
    const cipher = createDecipheriv(name, key, iv);
    try {
      return Uint8Array.from(Buffer.concat([cipher.update(data), cipher.final()]));
    } catch {
      return { failed: 'wrong', algorithm: name };
    }
  } catch {
    // An IV of another length, or a cipher that this platform leaves out.
    return { failed: 'unsupported', algorithm: name };
  } finally {
    key.fill(0);
  }
}

export interface Mac {
  readonly digestOid: string;
  readonly digest: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** Whether the MAC of the file is right under the passphrase (RFC 7292 §5.1); undefined where its algorithm is unknown (PBMAC1). */
export function macIsRight(
  mac: Mac,
  passphrase: string,
  content: Uint8Array,
  budget: StretchingBudget,
): boolean | 'costly' | undefined {
  const digest = DIGESTS[mac.digestOid];
  if (!digest) return undefined;
  const blocks = Math.ceil((mac.digest.length * 8) / (digest.name === 'sha1' ? 160 : digest.block * 4));
  if (!budget.spend(mac.iterations * Math.max(1, blocks))) return 'costly';
  const key = derive(digest, 3, passphrase, mac.salt, mac.iterations, mac.digest.length);
  const computed = createHmac(digest.name, key).update(content).digest();
  key.fill(0);
  return equalConstantTime(mac.digest, computed);
}

/** RFC 7292 Appendix B.2. `id`: 1 for a key, 2 for an IV, 3 for a MAC key. */
function derive(
  digest: { readonly name: string; readonly block: number },
  id: 1 | 2 | 3,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const v = digest.block;
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  const fill = (bytes: Uint8Array) =>
    Uint8Array.from({ length: v * Math.ceil(bytes.length / v) }, (_, i) => bytes[i % bytes.length]!);
  const input = Buffer.concat([fill(salt), fill(password)]);
  const pieces: Buffer[] = [];
  for (let made = 0; made < length; ) {
    let block = createHash(digest.name).update(Buffer.alloc(v, id)).update(input).digest();
    for (let i = 1; i < iterations; i++) block = createHash(digest.name).update(block).digest();
    pieces.push(block);
    made += block.length;
    // Every v bytes of the input plus the block, repeated, plus 1, as big-endian numbers modulo 2^(8v).
    for (let start = 0; start < input.length; start += v) {
      let carry = 1;
      for (let i = v - 1; i >= 0; i--) {
        carry += input[start + i]! + block[i % block.length]!;
        input[start + i] = carry;
        carry >>= 8;
      }
    }
  }
  const key = Uint8Array.from(Buffer.concat(pieces).subarray(0, length));
  for (const secret of [input, password, ...pieces]) secret.fill(0);
  return key;
}

const octetsOf = (block: BaseBlock | undefined): Uint8Array | undefined =>
  block instanceof lib.ber.OctetString ? Uint8Array.from(block.valueBlock.valueHexView) : undefined;

const integerOf = (block: BaseBlock | undefined): number | undefined => {
  const value = block instanceof lib.ber.Integer && !block.valueBlock.isHexOnly ? block.valueBlock.valueDec : 0;
  return value > 0 ? value : undefined;
};
