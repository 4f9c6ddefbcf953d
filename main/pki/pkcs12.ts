// PKCS#12 files (RFC 7292): what Windows, macOS and openssl export as .p12 or .pfx. The certificates come out by `decrypt`, the
// private key by node:crypto, which takes an EncryptedPrivateKeyInfo with its passphrase, so that its plain bytes never exist here.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SafeContents } from '@peculiar/asn1-pfx';
import { type Certificate, parseCertificate } from './certificate.ts';
import { isPkiError, PkiError } from './error.ts';
import { lib } from './libraries.ts';
import { decrypt, macIsRight } from './pkcs12-encryption.ts';
import { children, keyStretchingProblem, oidOf, StretchingBudget, tooMuchStretching } from './stretching.ts';

export interface Pkcs12 {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly Certificate[];
}

const WHAT = 'the PKCS#12 file';
const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const MOST_BYTES = 1024 * 1024;

const malformed = (detail: string) => new PkiError({ code: 'malformed', what: WHAT, detail });

/** Never throws for what is in the file. A file without any passphrase has the empty one. */
export function readPkcs12(file: Uint8Array, passphrase: string): Pkcs12 | PkiError {
  if (file.length > MOST_BYTES) return malformed(`it has ${file.length} bytes`);
  try {
    return read(Uint8Array.from(file), passphrase);
  } catch {
    return malformed('it is no PKCS#12 file that can be understood');
  }
}

function read(file: Uint8Array, passphrase: string): Pkcs12 | PkiError {
  const pfx = lib.schema.AsnConvert.parse(file, lib.pfx.PFX);
  if (pfx.authSafe.contentType !== DATA)
    return new PkiError({
      code: 'unsupported',
      what: WHAT,
      detail: 'it is signed instead of protected by a passphrase',
    });
  const content = new Uint8Array(lib.schema.AsnConvert.parse(pfx.authSafe.content, lib.schema.OctetString).buffer);
  const budget = new StretchingBudget();
  let proved = false;
  const { mac, macSalt, iterations } = pfx.macData;
  if (mac.digest.buffer.byteLength > 0) {
    const right = macIsRight(
      {
        digestOid: mac.digestAlgorithm.algorithm,
        digest: new Uint8Array(mac.digest.buffer),
        salt: new Uint8Array(macSalt.buffer),
        iterations,
      },
      passphrase,
      content,
      budget,
    );
    if (right === 'costly') return tooMuchStretching(WHAT);
    if (right === false) return wrong(passphrase);
    proved = right === true;
  }
  const bags: Bags = { keys: [], certificates: [], proved, budget };
  for (const { contentType, content: part } of lib.schema.AsnConvert.parse(content, lib.pfx.AuthenticatedSafe)) {
    const safe = openSafe(contentType, part, passphrase, budget);
    if (isPkiError(safe)) return safe;
    const problem = empty(lib.schema.AsnConvert.parse(safe, lib.pfx.SafeContents), passphrase, bags);
    if (problem) return problem;
  }
  return bags;
}

const wrong = (passphrase: string): PkiError =>
  new PkiError({ code: passphrase === '' ? 'passphrase-needed' : 'wrong-passphrase', what: WHAT });

function openSafe(
  type: string,
  part: ArrayBuffer,
  passphrase: string,
  budget: StretchingBudget,
): Uint8Array | PkiError {
  if (type === DATA) return new Uint8Array(lib.schema.AsnConvert.parse(part, lib.schema.OctetString).buffer);
  // EncryptedData ::= version, EncryptedContentInfo; that ::= type, algorithm, [0] IMPLICIT OCTET STRING (RFC 5652 §8, §6.1).
  const [, info] = children(lib.ber.fromBER(part).result);
  const [, algorithm, encrypted] = children(info);
  if (type !== ENCRYPTED_DATA || !algorithm || !encrypted)
    return new PkiError({
      code: 'unsupported',
      what: WHAT,
      detail: 'it is encrypted for a certificate instead of a passphrase',
    });
  const plain = decrypt(algorithm, passphrase, encryptedOctets(encrypted), budget);
  if (plain instanceof Uint8Array) return plain;
  if (plain.failed === 'costly') return tooMuchStretching(WHAT);
  return plain.failed === 'wrong'
    ? wrong(passphrase)
    : new PkiError({ code: 'unsupported', what: WHAT, detail: `it is encrypted with ${plain.algorithm}` });
}

/** Long contents may come in pieces (BER), as Windows and Java write them. */
function encryptedOctets(block: object): Uint8Array {
  if (block instanceof lib.ber.Primitive) return Uint8Array.from(block.valueBlock.valueHexView);
  const pieces = block instanceof lib.ber.Constructed ? block.valueBlock.value : [];
  return Uint8Array.from(
    Buffer.concat(
      pieces.map((piece) => (piece instanceof lib.ber.OctetString ? Buffer.from(piece.getValue()) : Buffer.alloc(0))),
    ),
  );
}

interface Bags {
  readonly keys: KeyObject[];
  readonly certificates: Certificate[];
  /** The MAC has shown that the passphrase is right. */
  readonly proved: boolean;
  readonly budget: StretchingBudget;
}

/** Takes keys and certificates out of a safe; other bags (CRLs, secrets) are left. */
function empty(safe: SafeContents, passphrase: string, bags: Bags, depth = 0): PkiError | undefined {
  for (const { bagId, bagValue } of safe) {
    if (bagId === lib.pfx.id_SafeContents && depth < 4) {
      const problem = empty(lib.schema.AsnConvert.parse(bagValue, lib.pfx.SafeContents), passphrase, bags, depth + 1);
      if (problem) return problem;
    } else if (bagId === lib.pfx.id_certBag) {
      const bag = lib.schema.AsnConvert.parse(bagValue, lib.pfx.CertBag);
      if (bag.certId !== lib.pfx.id_x509Certificate) continue;
      const der = new Uint8Array(lib.schema.AsnConvert.parse(bag.certValue, lib.schema.OctetString).buffer);
      const certificate = parseCertificate(der, 'a certificate in the PKCS#12 file');
      if (isPkiError(certificate)) return certificate;
      bags.certificates.push(certificate);
    } else if (bagId === lib.pfx.id_keyBag || bagId === lib.pfx.id_pkcs8ShroudedKeyBag) {
      const key = privateKey(Buffer.from(bagValue), bagId === lib.pfx.id_keyBag ? undefined : passphrase, bags);
      if (isPkiError(key)) return key;
      bags.keys.push(key);
    }
  }
  return undefined;
}

function privateKey(der: Buffer, passphrase: string | undefined, { proved, budget }: Bags): KeyObject | PkiError {
  try {
    const costly = passphrase !== undefined && keyStretchingProblem('the private key in the PKCS#12 file', der, budget);
    if (costly) return costly;
    const secret = passphrase === undefined ? {} : { passphrase };
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8', ...secret });
  } catch {
    // Without a MAC a wrong passphrase is the likelier cause.
    if (passphrase !== undefined && !proved) return wrong(passphrase);
    const algorithm = oidOf(children(children(lib.ber.fromBER(der).result)[0])[0]);
    return new PkiError({
      code: 'unsupported',
      what: 'the private key in the PKCS#12 file',
      detail: `it is encrypted or made in a way that is not known here (${algorithm})`,
    });
  } finally {
    der.fill(0);
  }
}
