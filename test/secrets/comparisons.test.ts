// Secrets, and what proves that somebody has them, are compared in constant time (crypto/constant-time.ts). This looks through the sources
// for comparisons that are not, of anything whose name says that it is one. It goes by names: a secret called `x` it does not see,
// and what it finds that is no secret has to be said so below.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { equalConstantTime } from '../../main/crypto/constant-time.ts';

const MAIN = new URL('../../main/', import.meta.url).pathname;

const NAMES =
  /^(?:SK_\w+|SKEYSEED|auth|expected|digest|mac|tag|\w+Hash|\w*(?:secret|password|passphrase|psk|ppk|msk|icv|proof|token|ticket|cookie|challenge|response|privateKey)s?)$/i;

/** `a === b`, `a.equals(b)`, `sameBytes(a, b)`, `Buffer.compare(a, b)`, `a.every((byte, i) => byte === b[i])`. */
const COMPARISONS: readonly RegExp[] = [
  /([\w$.#?!]+(?:\[[^\]]*\])?)\s*[!=]==\s*([\w$.#?!'"`-]+(?:\[[^\]]*\])?)/g,
  /([\w$.#?!]+)\.equals\(([\w$.#?!]+)\)/g,
  /\b(?:sameBytes|isDeepStrictEqual|compareNonces)\(([^,()]+),\s*([^,()]+)\)/g,
  /\bBuffer\.compare\(([^,()]+),\s*([^,()]+)\)/g,
  /([\w$.#?!]+)\.every\(\(\w+, \w+\) => \w+ === ([\w$.#?!]+)\[/g,
];

/** Nothing to guess: what is compared with a constant, or the length, kind or presence of something. */
const CONSTANT = /^(?:undefined|null|true|false|-?\d[\w.]*|['"`].*|[A-Z]\w*\.\w+|[A-Z][A-Z0-9_]+)$/;

const lastName = (operand: string): string =>
  operand
    .replace(/\[[^\]]*\]$/, '')
    .split(/[.?!#]+/)
    .filter(Boolean)
    .at(-1) ?? '';

interface Found {
  readonly file: string;
  readonly text: string;
}

function comparisonsIn(source: string): readonly string[] {
  const found: string[] = [];
  for (const line of source.split('\n')) {
    const code = line.replace(/^\s*(?:\/\/|\/?\*).*/, '').replace(/\s\/\/ .*/, '');
    for (const pattern of COMPARISONS)
      for (const [text, a = '', b = ''] of code.matchAll(pattern)) {
        if ([a, b].some((operand) => /(?:^length|Bytes)$/.test(lastName(operand.trim())))) continue;
        if (CONSTANT.test(a.trim()) || CONSTANT.test(b.trim()) || /^typeof /.test(code.slice(code.indexOf(text) - 7)))
          continue;
        if ([a, b].some((operand) => NAMES.test(lastName(operand.trim())))) found.push(text);
      }
  }
  return found;
}

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesIn(path) : entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Found, and no secret: why. */
const PUBLIC: Readonly<Record<string, string>> = {
  'core/accelerator.ts: Buffer.compare(region, expected)': 'a trial of the cipher at start-up, with known keys',
  'crypto/check.ts: Buffer.compare(secret, response.secret)': 'a trial of the key exchange at start-up',
  'daemon/profiles.ts: digest !== digestOf': 'of the text that this caller was given to look at just before',
  'daemon/demo/report.ts: transfer.sentHash === transfer.receivedHash': 'checksums of the demonstration',
  'daemon/demo/report.ts: sentHash !== receivedHash': 'checksums of the demonstration',
  'eap/tls/frame.ts: total !== this.#expected': 'lengths',
  'eap/ttls/server.ts: response[0] !== implicit.identifier':
    'an identifier of one octet; the challenge is compared beside it',
  'ike/cookie.ts: secret.version !== cookie[0]': 'the number of a secret, which is in the clear',
  'ike/nat.ts: sameBytes(hash, expected)': 'NAT detection: made of addresses and SPIs that everybody sees',
  'ike/payload/delete.ts: size !== expected': 'lengths',
  'ike/task/ike-init.ts: sameBytes(cookie, this.#cookie)':
    'a client sees whether a cookie comes twice: both came in the clear',
  'ike/task/session-resume.ts: sameBytes(cookie, this.#cookie)': 'the same',
  'pki/pkcs11-store.ts: label === token': 'the label of a token',
  'session/ticket-holder.ts: held?.ticket !== ticket': 'which object it is',
};

describe('the search', () => {
  test.each([
    'if (auth.data === expected) return;',
    'return expected.equals(auth.data);',
    'return sameBytes(expected, proof);',
    'if (Buffer.compare(response.ntResponse, right) === 0)',
    'return a.length === icv.length && a.every((byte, i) => byte === icv[i]);',
    'if (given !== this.#password) return;',
    'if (brought === token) accept();',
  ])('finds %s', (source) => {
    expect(comparisonsIn(source)).not.toEqual([]);
  });

  test.each([
    'if (password === null) return;',
    "if (typeof secret === 'string') return;",
    'if (icv.length !== expected.length) return;',
    '// password === given',
    'return equalConstantTime(expected, auth.data);',
    "if (credential.kind === 'psk') return;",
  ])('leaves %s', (source) => {
    expect(comparisonsIn(source)).toEqual([]);
  });
});

test('no secret is compared in a time that tells of it', () => {
  const found = sourcesIn(MAIN).flatMap((path): readonly Found[] =>
    comparisonsIn(readFileSync(path, 'utf8')).map((text) => ({ file: relative(MAIN, path), text })),
  );
  const known = found.map(({ file, text }) => `${file}: ${text}`);
  expect(known.filter((one) => !(one in PUBLIC))).toEqual([]);
});

test('what verifies secrets does it with equalConstantTime', () => {
  for (const file of [
    'crypto/integ.ts',
    'ike/auth/psk.ts',
    'ike/auth/resumed.ts',
    'ike/cookie.ts',
    'ike/crash-token.ts',
    'eap/mschapv2/peer.ts',
    'eap/mschapv2/server.ts',
    'eap/peap/peer.ts',
    'eap/peap/server.ts',
    'eap/ttls/peer.ts',
    'eap/ttls/server.ts',
    'eap/token-server.ts',
    'pki/pkcs12-encryption.ts',
    'ipc/web.ts',
  ])
    expect(readFileSync(join(MAIN, file), 'utf8'), file).toMatch(/\b(?:equalConstantTime|timingSafeEqual)\(/);
});

test('equalConstantTime: the same bytes, and nothing else', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  expect(equalConstantTime(bytes, Uint8Array.from(bytes))).toBe(true);
  for (let i = 0; i < bytes.length; i++) {
    const other = Uint8Array.from(bytes);
    other[i] = other[i]! ^ 0x80;
    expect(equalConstantTime(bytes, other)).toBe(false);
  }
  expect(equalConstantTime(bytes, bytes.subarray(1))).toBe(false);
  expect(equalConstantTime(bytes, new Uint8Array(0))).toBe(false);
  expect(equalConstantTime(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});
