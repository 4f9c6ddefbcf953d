import { expect, test } from 'vitest';
import { comparisonOf, sideBySide } from '../../main/ipc/error.ts';

const data = {
  notify: 'INVALID_KE_PAYLOAD',
  'offered.encryption': 'aes256gcm16 aes128gcm16 chacha20poly1305 aes256 aes128',
  'offered.key-exchange': 'ecp256',
  'accepted.key-exchange': 'modp1024',
};

test('what we offered and what they accept, by kind', () => {
  expect(comparisonOf({ data })).toEqual([
    { kind: 'encryption', offered: data['offered.encryption'], accepted: '' },
    { kind: 'key-exchange', offered: 'ecp256', accepted: 'modp1024' },
  ]);
  expect(comparisonOf({ data: { notify: 'x' } })).toEqual([]);
  expect(comparisonOf({})).toEqual([]);
});

test('as two columns', () => {
  expect(sideBySide({ data }, 24)).toBe(
    [
      '              we offered                they accept',
      'encryption    aes256gcm16 aes128gcm16   not told',
      '              chacha20poly1305 aes256',
      '              aes128',
      'key-exchange  ecp256                    modp1024',
    ].join('\n'),
  );
  expect(sideBySide({})).toBe('');
});
