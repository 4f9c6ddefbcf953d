// The search itself finds what it is to find, or the tests that rely on it would prove nothing.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Vault } from './vault.ts';

const key = Uint8Array.from(randomBytes(48));
const password = 'a password that is long enough to see';

function vault(): Vault {
  const made = new Vault();
  made.put('key', key);
  made.put('password', password);
  return made;
}

const hex = Buffer.from(key).toString('hex');
test.each([
  ['hex', hex],
  ['upper-case hex', hex.toUpperCase()],
  ['a piece of hex', `…${hex.slice(13, 13 + 50)}…`],
  ['hex with colons', hex.replace(/(..)(?=.)/g, '$1:')],
  ['hex in columns', hex.replace(/(.{8})/g, '$1 ').replace(/(.{36})/g, '$1\n')],
  ['base64', Buffer.from(key).toString('base64')],
  ['base64url', Buffer.from(key).toString('base64url')],
  ['base64 of something around it', Buffer.concat([Buffer.of(1), key, Buffer.of(2)]).toString('base64')],
  ['base64 two bytes in', Buffer.concat([Buffer.of(1, 2), key]).toString('base64')],
  [
    'PEM',
    Buffer.from(key)
      .toString('base64')
      .replace(/(.{20})/g, '$1\n'),
  ],
  ['numbers', [...key].join(', ')],
  ['JSON of a typed array', JSON.stringify({ SK_d: key })],
  ['JSON of a Buffer', JSON.stringify(Buffer.from(key))],
  ['a typed array inspected', inspect(key)],
  ['a Buffer inspected', inspect(Buffer.from(key))],
  ['a part of it inspected', inspect({ deep: { key: key.subarray(9, 40) } })],
  ['text', `refused: "${password}"`],
  ['the end of text', `refused: …${password.slice(14)}`],
  ['text in hex', Buffer.from(password).toString('hex')],
])('finds %s', (_, said) => {
  expect(vault().search(`before ${said} after`)).not.toEqual([]);
});

test('finds nothing in what is something else', () => {
  expect(
    vault().search(`${inspect(Uint8Array.from(randomBytes(48)))} ${randomBytes(400).toString('hex')} a password`),
  ).toEqual([]);
  expect(new Vault().search(hex)).toEqual([]);
});
