// Our own credential from every kind of file that openssl makes, with the right passphrase and the wrong one, and from a key store.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseScheme, verifyOctets } from '../../main/crypto/signature.ts';
import { type CredentialSource, openCredential } from '../../main/pki/credential.ts';
import { isPkiError, PkiError } from '../../main/pki/error.ts';
import type { SigningKey } from '../../main/pki/key.ts';
import { type KeyStore, softwareStore } from '../../main/pki/key-store.ts';
import { rc2CbcDecrypt } from '../../main/pki/rc2.ts';
import { StretchingBudget } from '../../main/pki/stretching.ts';
import { type Made, make, testKey } from './authority.ts';
import { openssl } from './openssl.ts';

const tool = openssl();
afterAll(() => tool.close());

const PASSPHRASE = 'Grüße 1';
let root: Made;
let rsa: Made;
let ec: Made;

beforeAll(async () => {
  root = await make({ subject: 'CN=Root' });
  rsa = await make({ subject: 'CN=alice', kind: 'rsa', issuer: root });
  ec = await make({ subject: 'CN=bob', issuer: root });
  for (const [name, one] of [
    ['rsa', rsa],
    ['ec', ec],
  ] as const) {
    tool.write(`${name}.key`, one.key.export({ format: 'pem', type: 'pkcs8' }));
    tool.write(`${name}.crt`, one.pem);
  }
  tool.write('root.crt', root.pem);
});

async function opened(source: CredentialSource): Promise<SigningKey> {
  const key = await openCredential(source);
  if (isPkiError(key)) throw key;
  return key;
}

async function expectSigns(key: SigningKey, who: Made): Promise<void> {
  expect(key.certificate.subject.text).toBe(who.subject);
  const scheme = parseScheme(who.kind === 'rsa' ? 'rsa-pss-sha256' : 'ecdsa-sha256')!;
  const octets = Uint8Array.of(1, 2, 3);
  const signature = await key.sign(scheme, octets);
  if (isPkiError(signature)) throw signature;
  expect(verifyOctets(createPublicKey(who.key), scheme, octets, signature)).toBe(true);
}

describe('PEM and DER keys', () => {
  interface Row {
    readonly who: Made;
    readonly file: string | Buffer;
  }
  const key = (who: Made, file: Uint8Array, passphrase?: string) =>
    openCredential({ kind: 'pem', certificates: Buffer.from(who.pem), key: file, passphrase });

  test.each([
    ['PKCS#8', (): Row => ({ who: rsa, file: rsa.key.export({ format: 'pem', type: 'pkcs8' }) })],
    ['PKCS#1', (): Row => ({ who: rsa, file: rsa.key.export({ format: 'pem', type: 'pkcs1' }) })],
    ['SEC1', (): Row => ({ who: ec, file: ec.key.export({ format: 'pem', type: 'sec1' }) })],
    [
      'SEC1 with its parameters in front',
      (): Row => ({ who: ec, file: tool.run('ec', '-in', 'ec.key', '-param_enc', 'named_curve') }),
    ],
    ['PKCS#8, DER', (): Row => ({ who: ec, file: ec.key.export({ format: 'der', type: 'pkcs8' }) })],
    ['PKCS#1, DER', (): Row => ({ who: rsa, file: rsa.key.export({ format: 'der', type: 'pkcs1' }) })],
    ['SEC1, DER', (): Row => ({ who: ec, file: ec.key.export({ format: 'der', type: 'sec1' }) })],
  ] as const)('%s', async (_, made) => {
    const { who, file } = made();
    const found = await key(who, Buffer.from(file));
    if (isPkiError(found)) throw found;
    await expectSigns(found, who);
  });

  test.each([
    ['PKCS#8 with AES-256', ['pkcs8', '-topk8', '-v2', 'aes256', '-in', 'rsa.key']],
    ['PKCS#8 with AES-256, DER', ['pkcs8', '-topk8', '-v2', 'aes256', '-outform', 'DER', '-in', 'rsa.key']],
    ['PKCS#1 as of old', ['rsa', '-traditional', '-aes256', '-in', 'rsa.key']],
  ] as const)('%s, encrypted', async (name, args) => {
    const file = tool.run(...args, '-passout', `pass:${PASSPHRASE}`);
    const found = await key(rsa, file, PASSPHRASE);
    if (isPkiError(found)) throw found;
    await expectSigns(found, rsa);
    expect(await key(rsa, file, 'wrong')).toMatchObject({ code: 'wrong-passphrase' });
    // Without the label of PEM nobody can tell an encrypted key from a damaged one.
    const without = await key(rsa, file);
    expect(isPkiError(without) && without.code).toBe(name.endsWith('DER') ? 'malformed' : 'passphrase-needed');
  });

  test('certificates in any order: ours is found by the key', async () => {
    const found = await opened({
      kind: 'pem',
      certificates: Buffer.from(`${root.pem}\n${ec.pem}`),
      key: Buffer.from(ec.key.export({ format: 'pem', type: 'pkcs8' })),
    });
    expect(found.chain).toEqual([ec.der, root.der]);
  });

  test('what does not fit together, or is not there, is said', async () => {
    expect(await key(rsa, Buffer.from(ec.key.export({ format: 'pem', type: 'pkcs8' })))).toMatchObject({
      code: 'key-mismatch',
    });
    expect(await key(rsa, Buffer.from(rsa.pem))).toMatchObject({ code: 'no-private-key' });
    expect(await key(rsa, new Uint8Array())).toMatchObject({ code: 'malformed' });
    const keyFile = Buffer.from(rsa.key.export({ format: 'pem', type: 'pkcs8' }));
    expect(await openCredential({ kind: 'pem', certificates: keyFile, key: keyFile })).toMatchObject({
      code: 'malformed',
    });
  });

  test('a closed key signs nothing', async () => {
    const found = await opened({
      kind: 'pem',
      certificates: Buffer.from(ec.pem),
      key: Buffer.from(ec.key.export({ format: 'pem', type: 'pkcs8' })),
    });
    found.close();
    expect(isPkiError(await found.sign(parseScheme('ecdsa-sha256')!, new Uint8Array(1)))).toBe(true);
  });
});

/** The same file with its iteration count, 70,000, set to 8,388,607; `nth` from 0. */
function costlier(file: Buffer, nth = 0): Buffer {
  const from = Buffer.from([2, 3, 0x01, 0x11, 0x70]);
  const copy = Buffer.from(file);
  let at = copy.indexOf(from);
  for (let i = 0; i < nth; i++) at = copy.indexOf(from, at + 1);
  expect(at).toBeGreaterThan(0);
  copy.set([2, 3, 0x7f, 0xff, 0xff], at);
  return copy;
}

describe('a file that would hold up the engine', () => {
  const openPem = (key: Uint8Array) =>
    openCredential({ kind: 'pem', certificates: Buffer.from(rsa.pem), key, passphrase: PASSPHRASE });
  const refused = { code: 'unsupported', message: expect.stringMatching('more than 2,000,000 times') };
  const pem = (der: Uint8Array, label: string, headers = '') =>
    Buffer.from(
      `-----BEGIN ${label}-----\n${headers}${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`,
    );

  test('PKCS#8 with too many iterations, DER and PEM', async () => {
    const args = ['pkcs8', '-topk8', '-v2', 'aes256', '-iter', '70000', '-outform', 'DER', '-in', 'rsa.key'];
    const file = tool.run(...args, '-passout', `pass:${PASSPHRASE}`);
    await expectSigns(
      await opened({ kind: 'pem', certificates: Buffer.from(rsa.pem), key: file, passphrase: PASSPHRASE }),
      rsa,
    );
    const costly = costlier(file);
    expect(await openPem(costly)).toMatchObject(refused);
    expect(await openPem(pem(costly, 'ENCRYPTED PRIVATE KEY'))).toMatchObject(refused);
    // Hidden from the count, to be found by the library.
    const inner = pem(costly, 'ENCRYPTED PRIVATE KEY').toString();
    const hidden = [
      pem(costly, 'PRIVATE KEY'),
      pem(costly, 'RSA PRIVATE KEY'),
      pem(
        costly,
        'ENCRYPTED PRIVATE KEY',
        'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n',
      ),
      Buffer.from(`-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n${inner}-----END EC PRIVATE KEY-----\n`),
    ];
    const before = process.cpuUsage().user;
    for (const file of hidden) expect(isPkiError(await openPem(file))).toBe(true);
    expect(process.cpuUsage(undefined).user - before).toBeLessThan(1_000_000);
  });

  test('scrypt with too many rounds', async () => {
    const args = ['pkcs8', '-topk8', '-scrypt', '-scrypt_p', '70000', '-scrypt_N', '2', '-scrypt_r', '1'];
    const file = tool.run(...args, '-outform', 'DER', '-in', 'rsa.key', '-passout', `pass:${PASSPHRASE}`);
    expect(isPkiError(await openPem(file))).toBe(false);
    expect(await openPem(costlier(file))).toMatchObject(refused);
  });

  test('PKCS#12: too many iterations of its MAC, of its certificates or of its key, and all together', async () => {
    const bundle = ['pkcs12', '-export', '-inkey', 'rsa.key', '-in', 'rsa.crt', '-iter', '70000'];
    const file = tool.run(...bundle, '-passout', `pass:${PASSPHRASE}`);
    const open = (bytes: Uint8Array) => openCredential({ kind: 'pkcs12', file: bytes, passphrase: PASSPHRASE });
    expect(isPkiError(await open(file))).toBe(false);
    // The MAC is checked first, and stands last in the file.
    expect(await open(costlier(file, 2))).toMatchObject(refused);
    const noMac = tool.run(...bundle, '-nomac', '-certpbe', 'aes-256-cbc', '-passout', `pass:${PASSPHRASE}`);
    for (const nth of [0, 1]) expect(await open(costlier(noMac, nth))).toMatchObject(refused);
    // Each layer is within the budget, the file is not.
    const budget = new StretchingBudget();
    expect([budget.spend(1_500_000), budget.spend(600_000), budget.spend(500_000)]).toEqual([true, false, true]);
    expect(budget.spend(Number.NaN)).toBe(false);
  });
});

describe('PKCS#12', () => {
  const bundle = (...options: string[]) => [
    ...['pkcs12', '-export', '-inkey', 'rsa.key', '-in', 'rsa.crt', '-certfile', 'root.crt', '-name', 'alice'],
    ...options,
  ];
  test.each([
    ['AES-256 and SHA-256, as OpenSSL 3 writes', []],
    ['AES-128 and SHA-512', ['-keypbe', 'aes-128-cbc', '-certpbe', 'aes-128-cbc', '-macalg', 'sha512']],
    ['triple DES and RC2 with 40 bits, as OpenSSL 1 and Windows 7 write', ['-legacy']],
    [
      'triple DES for all, as Windows writes on request',
      ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES'],
    ],
    ['RC2 with 128 bits', ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-RC2-128']],
    ['certificates not encrypted', ['-certpbe', 'NONE']],
    ['key not encrypted either', ['-certpbe', 'NONE', '-keypbe', 'NONE']],
    ['no MAC', ['-nomac']],
    ['one iteration', ['-iter', '1', '-maciter']],
  ])('%s', async (_, options) => {
    const file = tool.run(...bundle(...options), '-passout', `pass:${PASSPHRASE}`);
    const key = await opened({ kind: 'pkcs12', file, passphrase: PASSPHRASE });
    await expectSigns(key, rsa);
    expect(key.chain).toEqual([rsa.der, root.der]);
    const wrong = await openCredential({ kind: 'pkcs12', file, passphrase: 'wrong' });
    // Even where nothing is encrypted, the MAC tells; and RC2's padding alone would let one of 256 wrong passphrases through.
    expect(isPkiError(wrong) && wrong.code).toBe('wrong-passphrase');
    const none = await openCredential({ kind: 'pkcs12', file });
    expect(isPkiError(none) && none.code).toBe('passphrase-needed');
  });

  test('the empty passphrase', async () => {
    const file = tool.run(...bundle(), '-passout', 'pass:');
    await expectSigns(await opened({ kind: 'pkcs12', file }), rsa);
  });

  test('no key, or the key of somebody else', async () => {
    const run = (...args: string[]) => tool.run('pkcs12', '-export', ...args, '-passout', 'pass:x');
    expect(
      await openCredential({ kind: 'pkcs12', file: run('-nokeys', '-in', 'rsa.crt'), passphrase: 'x' }),
    ).toMatchObject({
      code: 'no-private-key',
    });
    expect(
      await openCredential({ kind: 'pkcs12', file: run('-inkey', 'rsa.key', '-nocerts'), passphrase: 'x' }),
    ).toMatchObject({
      code: 'malformed',
    });
  });

  test('cut off anywhere, or with any byte changed, it is a key or an error, never an exception', async () => {
    const file = tool.run(...bundle('-iter', '1'), '-passout', 'pass:x');
    for (let length = 0; length < file.length; length += 37)
      expect(
        isPkiError(await openCredential({ kind: 'pkcs12', file: file.subarray(0, length), passphrase: 'x' })),
      ).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(file);
        changed[at]! ^= change;
        const found = await openCredential({ kind: 'pkcs12', file: changed, passphrase: 'x' });
        expect(isPkiError(found) || found.chain.length > 0).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('RC2 (RFC 2268 §5)', () => {
  test.each([
    ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
    ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
    ['88', 64, '0000000000000000', '61a8a244adacccf0'],
    ['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
    ['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
    ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ] as const)('%s, %d bits', (key, bits, plain, cipher) => {
    const bytes = (hex: string) => Buffer.from(hex, 'hex');
    const found = rc2CbcDecrypt(bytes(key), bits, new Uint8Array(8), bytes(cipher));
    expect(Buffer.from(found!).toString('hex')).toBe(plain);
  });
});

describe('key stores', () => {
  const named = (key: Made['key'], certificates: readonly Uint8Array[]) =>
    softwareStore(new Map([['laptop', { key, certificates }]]));

  test('the key signs, and its certificate comes from the store or from a file', async () => {
    const key = { label: 'laptop' };
    await expectSigns(await opened({ kind: 'store', store: named(ec.key, [ec.der]), key }), ec);
    const fromFile = await opened({
      kind: 'store',
      store: named(ec.key, []),
      key,
      certificates: Buffer.from(root.pem + ec.pem),
    });
    expect(fromFile.chain).toEqual([ec.der, root.der]);
  });

  test('a key that is not there, without certificate, or with another’s', async () => {
    const key = { label: 'laptop' };
    expect(await openCredential({ kind: 'store', store: named(ec.key, []), key: { label: 'desk' } })).toMatchObject({
      code: 'key-store',
    });
    expect(await openCredential({ kind: 'store', store: named(ec.key, []), key })).toMatchObject({ code: 'key-store' });
    expect(await openCredential({ kind: 'store', store: named(ec.key, [rsa.der]), key })).toMatchObject({
      code: 'key-mismatch',
    });
  });

  test('a store that signs wrongly or fails is found out', async () => {
    const good = named(ec.key, [ec.der]);
    const bad = (sign: () => Promise<Uint8Array>): KeyStore => ({
      name: 'slot 0',
      open: async (wanted) => {
        const stored = await good.open(wanted);
        return isPkiError(stored) ? stored : { ...stored, sign };
      },
    });
    const signed = async (store: KeyStore) => {
      const key = await opened({ kind: 'store', store, key: { label: 'laptop' } });
      const signature = await key.sign(parseScheme('ecdsa-sha256')!, new Uint8Array(3));
      return isPkiError(signature) ? `${signature.code}: ${signature.message}` : 'signed';
    };
    expect(await signed(bad(async () => new Uint8Array(70)))).toContain('key-store');
    expect(await signed(bad(async () => Promise.reject(new Error('the token was removed'))))).toContain(
      'the token was removed',
    );
  });
});

describe('secrets', () => {
  test('neither key nor passphrase is in what can be printed', async () => {
    const secrets: string[] = [];
    const printed: string[] = [];
    const remember = (key: Made['key']) => {
      const { d, p } = key.export({ format: 'jwk' });
      for (const secret of [d, p])
        if (secret)
          secrets.push(
            secret,
            Buffer.from(secret, 'base64url').toString('hex'),
            Buffer.from(secret, 'base64url').toString('base64').slice(8, 40),
          );
    };
    for (const who of [rsa, ec]) {
      remember(who.key);
      const pem = Buffer.from(who.key.export({ format: 'pem', type: 'pkcs8' }));
      const key = await opened({ kind: 'pem', certificates: Buffer.from(who.pem), key: pem });
      printed.push(inspect(key, { depth: 9, showHidden: true, maxArrayLength: null }), JSON.stringify(key));
      // Errors on the way: a damaged key, another's, a wrong passphrase.
      const damaged = Buffer.from(pem.toString().replace(/A/, '!'));
      for (const [file, passphrase] of [
        [damaged, PASSPHRASE],
        [Buffer.from(testKey('p384').export({ format: 'pem', type: 'pkcs8' })), undefined],
        [tool.run('pkcs8', '-topk8', '-in', 'rsa.key', '-passout', `pass:${PASSPHRASE}`), `${PASSPHRASE}?`],
      ] as const) {
        const error = await openCredential({ kind: 'pem', certificates: Buffer.from(who.pem), key: file, passphrase });
        printed.push(inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), String(error));
        if (error instanceof PkiError) printed.push(error.message, error.remedy, error.stack ?? '');
      }
    }
    remember(testKey('p384'));
    secrets.push(PASSPHRASE);
    for (const secret of secrets) expect(printed.some((text) => text.includes(secret))).toBe(false);
    // And the search would find one.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(inspect(privateKey.export({ format: 'jwk' }))).toContain(String(privateKey.export({ format: 'jwk' }).d));
  });
});
