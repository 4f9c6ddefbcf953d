// Keys in a token: SoftHSM (Debian's softhsm2) in a folder of its own. The keys are imported into it; from then on only it signs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseScheme, verifyOctets } from '../../main/crypto/signature.ts';
import {
  loadPkcs11,
  PIN_INCORRECT,
  Pkcs11Error,
  type Pkcs11Module,
  type Pkcs11Session,
} from '../../main/native/pkcs11.ts';
import { openCredential } from '../../main/pki/credential.ts';
import { isPkiError } from '../../main/pki/error.ts';
import { pkcs11Store } from '../../main/pki/pkcs11-store.ts';
import { type KeyKind, type Made, make } from './authority.ts';

const LIBRARY = '/usr/lib/softhsm/libsofthsm2.so';
const PIN = '123456';
const here = existsSync(LIBRARY) && existsSync('/usr/bin/softhsm2-util');

describe.skipIf(!here)(`PKCS#11${here ? '' : ' (softhsm2 is not installed)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), `culvert-pkcs11-${process.pid}-`));
  const owners = new Map<string, Made>();
  let module: Pkcs11Module;

  beforeAll(async () => {
    mkdirSync(join(folder, 'tokens'));
    writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
    process.env.SOFTHSM2_CONF = join(folder, 'softhsm2.conf');
    const util = (...args: string[]) => execFileSync('softhsm2-util', args, { timeout: 30_000, stdio: 'pipe' });
    util('--init-token', '--free', '--label', 'laptop', '--pin', PIN, '--so-pin', PIN);
    for (const [i, kind] of (['rsa', 'p256', 'p384', 'p521', 'ed25519'] satisfies KeyKind[]).entries()) {
      const owner = await make({ subject: `CN=${kind}`, kind });
      owners.set(kind, owner);
      const file = join(folder, `${kind}.pem`);
      writeFileSync(file, owner.key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
      try {
        util('--import', file, '--token', 'laptop', '--label', kind, '--id', `0${i + 1}`, '--pin', PIN);
      } catch (error) {
        if (kind !== 'ed25519') throw error;
        // Debian's build may leave EdDSA out.
        owners.delete(kind);
      }
      rmSync(file);
    }
    module = loadPkcs11(LIBRARY);
  }, 60_000);
  afterAll(() => {
    module?.close();
    delete process.env.SOFTHSM2_CONF;
    rmSync(folder, { recursive: true, force: true });
  });

  const store = (token = 'laptop') => pkcs11Store({ module, token });
  const open = (owner: Made, key: { label: string } | { id: string }, from = store(), passphrase = PIN) =>
    openCredential({ kind: 'store', store: from, key, passphrase, certificates: Buffer.from(owner.pem) });

  test('a wrong PIN, and none', async () => {
    const p256 = owners.get('p256')!;
    const wrong = await open(p256, { label: 'p256' }, store(), '000000');
    expect(isPkiError(wrong) && wrong.message).toContain('the PIN is wrong');
    expect(isPkiError(wrong) && wrong.message).not.toContain('000000');
    const none = await openCredential({ kind: 'store', store: store(), key: { label: 'p256' } });
    expect(none).toMatchObject({ message: expect.stringContaining('no such key') });
  });

  test('a PIN that the token has refused is not sent again, and others still are', async () => {
    const p256 = owners.get('p256')!;
    const same = store();
    const wrong = (pin: string) => open(p256, { label: 'p256' }, same, pin);
    for (const one of await Promise.all([wrong('111111'), wrong('111111'), wrong('111111'), wrong('111111')]))
      expect(one).toMatchObject({ code: 'key-store', message: expect.stringContaining('the PIN is wrong') });
    expect(await wrong('111111')).toMatchObject({ message: expect.stringContaining('is not sent again') });
    const right = await wrong(PIN);
    expect(isPkiError(right)).toBe(false);
    if (!isPkiError(right)) right.close();
  });

  test.each([
    ['rsa', 'rsa-pkcs1-sha256'],
    ['rsa', 'rsa-pss-sha256'],
    ['rsa', 'rsa-pss-sha512'],
    ['rsa', 'rsa-sha1'],
    ['p256', 'ecdsa-sha256'],
    ['p256', 'ecdsa-p256'],
    ['p384', 'ecdsa-sha512'],
    ['p521', 'ecdsa-p521'],
    ['p521', 'ecdsa-sha512'],
    ['ed25519', 'ed25519'],
  ])('%s signs with %s', async (kind, name) => {
    const owner = owners.get(kind);
    if (!owner) return expect(kind).toBe('ed25519');
    const key = await open(owner, { label: kind });
    if (isPkiError(key)) throw key;
    const octets = new TextEncoder().encode('InitiatorSignedOctets');
    const scheme = parseScheme(name)!;
    for (const signature of await Promise.all([key.sign(scheme, octets), key.sign(scheme, octets)])) {
      if (isPkiError(signature)) throw signature;
      expect(verifyOctets(owner.certificate.publicKey, scheme, octets, signature)).toBe(true);
    }
    key.close();
    expect(await key.sign(scheme, octets)).toMatchObject({ code: 'key-store' });
  });

  test('by identifier; a key, token or certificate that is not there', async () => {
    const p256 = owners.get('p256')!;
    const found = await open(p256, { id: '02' });
    expect(isPkiError(found)).toBe(false);
    expect(await open(p256, { label: 'desk' })).toMatchObject({
      code: 'key-store',
      message: expect.stringContaining('no such key'),
    });
    expect(await open(p256, { id: '02' }, store('card'))).toMatchObject({
      message: expect.stringContaining('no such token'),
    });
    expect(await open(p256, { label: 'p384' })).toMatchObject({ code: 'key-mismatch' });
    expect(() => loadPkcs11('/nonexistent.so')).toThrow();
  });

  test('the private key does not come out', async () => {
    const [token] = (await module.tokens()).filter(({ label }) => label === 'laptop');
    const session = await module.openSession(token!.slot);
    await session.login(PIN);
    const number = (value: number) => new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
    const keys = await session.find([{ type: 0, value: number(3) }]);
    expect(keys.length).toBe(owners.size);
    // CKA_VALUE, CKA_PRIVATE_EXPONENT.
    for (const key of keys)
      for (const type of [0x11, 0x123]) expect(await session.attribute(key, type)).toBeUndefined();
    session.close();
  });
});

describe('a token that misbehaves', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function fakeToken(change: Partial<Pkcs11Session> = {}) {
    const log = { pins: [] as string[], closed: 0 };
    const session: Pkcs11Session = {
      login: async (pin) => {
        log.pins.push(pin);
        throw new Pkcs11Error('C_Login', PIN_INCORRECT);
      },
      find: async () => [1n],
      attribute: async () => undefined,
      sign: async () => new Uint8Array(64),
      close: () => {
        log.closed++;
      },
      ...change,
    };
    const tokens = [{ slot: 0n, label: 'card' }];
    const module: Pkcs11Module = { tokens: async () => tokens, openSession: async () => session, close: () => {} };
    return { log, store: pkcs11Store({ module }) };
  }

  test('each wrong PIN reaches it once, however many ask at once', async () => {
    const { log, store } = fakeToken();
    const pins = ['1', '1', '2', '1', '2'];
    const results = await Promise.all(pins.map((pin) => store.open({ label: 'key' }, pin)));
    expect(results.every((result) => isPkiError(result) && result.message.includes('the PIN is wrong'))).toBe(true);
    expect(log.pins).toEqual(['1', '2']);
    expect(log.closed).toBe(pins.length);
  });

  test('one that hangs is given up after a minute; what it opens later is closed', async () => {
    vi.useFakeTimers();
    let answer = () => {};
    const { log, store } = fakeToken({
      login: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const opening = store.open({ label: 'key' }, PIN);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await opening).toMatchObject({ message: expect.stringContaining('did not answer within 60 seconds') });
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(log.closed).toBe(1);
  });

  test('a signature that never comes is an error', async () => {
    vi.useFakeTimers();
    const { store } = fakeToken({ login: async () => {}, sign: () => new Promise(() => {}) });
    const key = await store.open({ label: 'key' }, PIN);
    if (isPkiError(key)) throw key;
    const signing = expect(key.sign(parseScheme('ecdsa-sha256')!, new Uint8Array(1))).rejects.toThrow('did not answer');
    await vi.advanceTimersByTimeAsync(60_000);
    await signing;
  });
});
