import { expect, test } from 'vitest';
import { algorithmsNamed, algorithmsOf, compareAlgorithms } from '../../main/crypto/algorithms.ts';
import { transform } from '../../main/crypto/transform.ts';

test('the union of proposals, by kind, the preferred first', () => {
  expect(
    algorithmsNamed(['aes256gcm16-prfsha256-ecp256-ke1_mlkem768', 'aes128-sha256-ecp256-modp2048'], 'ike'),
  ).toEqual({
    encryption: 'aes256gcm16 aes128',
    integrity: 'sha256',
    prf: 'prfsha256',
    'key-exchange': 'ecp256 modp2048',
    'additional-key-exchange': 'ke1_mlkem768',
  });
  expect(algorithmsNamed(['null-sha256', 'aes128gcm16-esn-noesn'], 'esp')).toEqual({
    encryption: 'null aes128gcm16',
    integrity: 'sha256',
    'sequence-numbers': 'noesn esn',
  });
});

test('what a peer offers may be unknown', () => {
  expect(algorithmsOf([[transform(1, 99), transform(4, 2), transform(200, 1)]])).toEqual({
    encryption: 'encr:99',
    'key-exchange': 'modp1024',
  });
});

test('both ends in full, a line for each kind', () => {
  expect(
    compareAlgorithms(
      { encryption: 'aes128', 'key-exchange': 'modp1024' },
      { encryption: 'aes256gcm16', prf: 'prfsha256' },
    ),
  ).toBe(
    [
      'encryption: it offers aes128; we accept aes256gcm16',
      'prf: it offers none; we accept prfsha256',
      'key-exchange: it offers modp1024; we accept none',
    ].join('\n'),
  );
});
