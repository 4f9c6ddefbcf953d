import { expect, test } from 'vitest';
import { isErrorNotify, NotifyType } from '../../main/ike/notify.ts';
import { errorOfNotify } from '../../main/ike/notify-error.ts';

const errors = Object.entries(NotifyType).filter(([, type]) => isErrorNotify(type));

test.each([...errors, ['error 8000', 8000] as const])('%s has a code, a message and a remedy', (name, type) => {
  for (const exchange of ['IKE_SA_INIT', 'IKE_AUTH', 'CREATE_CHILD_SA', 'INFORMATIONAL']) {
    const error = errorOfNotify(type, { exchange });
    expect(error.notify).toEqual({ type, name });
    expect(error.exchange).toBe(exchange);
    expect(error.message.length).toBeGreaterThan(20);
    expect(error.remedy.length).toBeGreaterThan(20);
    // Lower case and no full stop: the caller makes the sentence.
    expect(error.message).toMatch(/^[a-z].*[^.]$/);
  }
});

test('the codes', () => {
  const code = (type: number, exchange = 'IKE_AUTH') => errorOfNotify(type, { exchange }).code;
  expect(code(NotifyType.NO_PROPOSAL_CHOSEN, 'IKE_SA_INIT')).toBe('no-ike-proposal');
  expect(code(NotifyType.NO_PROPOSAL_CHOSEN)).toBe('no-child-proposal');
  expect(code(NotifyType.INVALID_KE_PAYLOAD, 'IKE_SA_INIT')).toBe('no-ike-proposal');
  expect(code(NotifyType.AUTHENTICATION_FAILED)).toBe('refused-by-peer');
  expect(code(NotifyType.TS_UNACCEPTABLE)).toBe('traffic-selectors');
  expect(code(NotifyType.SINGLE_PAIR_REQUIRED)).toBe('traffic-selectors');
  expect(code(NotifyType.INTERNAL_ADDRESS_FAILURE)).toBe('no-address');
  expect(code(NotifyType.FAILED_CP_REQUIRED)).toBe('no-address');
  expect(code(NotifyType.INVALID_SYNTAX)).toBe('protocol');
  expect(code(NotifyType.INVALID_MAJOR_VERSION)).toBe('protocol');
  expect(code(NotifyType.TEMPORARY_FAILURE)).toBe('peer-error');
  expect(code(8000)).toBe('peer-error');
});

test('what we offered is in the words', () => {
  const context = { exchange: 'IKE_AUTH', proposals: ['aes128gcm16'], selectors: '10.0.0.1[47]', identity: 'alice' };
  expect(errorOfNotify(NotifyType.NO_PROPOSAL_CHOSEN, context).message).toContain('aes128gcm16');
  expect(errorOfNotify(NotifyType.TS_UNACCEPTABLE, context).message).toContain('10.0.0.1[47]');
  expect(errorOfNotify(NotifyType.AUTHENTICATION_FAILED, context).message).toContain('alice');
});

test('a disagreement about algorithms has both sides, as far as they are known', () => {
  const ike = errorOfNotify(NotifyType.INVALID_KE_PAYLOAD, {
    exchange: 'IKE_SA_INIT',
    proposals: ['aes128-sha256-ecp256'],
    accepted: { 'key-exchange': 'modp1024' },
  });
  expect(ike.message).toContain('insists on modp1024');
  expect(ike.remedy).toContain('"legacy"');
  expect(ike.disagreement).toEqual({
    offered: { encryption: 'aes128', integrity: 'sha256', prf: 'prfsha256', 'key-exchange': 'ecp256' },
    accepted: { 'key-exchange': 'modp1024' },
  });
  const esp = errorOfNotify(NotifyType.NO_PROPOSAL_CHOSEN, { exchange: 'IKE_AUTH', proposals: ['aes128gcm16'] });
  expect(esp.disagreement?.offered).toMatchObject({ encryption: 'aes128gcm16' });
  expect(esp.disagreement?.accepted).toEqual({});
  expect(errorOfNotify(NotifyType.TS_UNACCEPTABLE, { exchange: 'IKE_AUTH' }).disagreement).toBeUndefined();
});

test('a list of proposals that is too long for a sentence is not in it', () => {
  const proposals = ['aes256gcm16', 'aes128gcm16', 'aes256', 'aes128'].map(
    (encr) => `${encr}-sha256-prfsha256-ecp256-x25519-modp2048`,
  );
  const { message, disagreement } = errorOfNotify(NotifyType.NO_PROPOSAL_CHOSEN, {
    exchange: 'IKE_SA_INIT',
    proposals,
  });
  expect(message).toBe('the gateway accepts none of our IKE proposals');
  expect(disagreement?.offered.encryption).toBe('aes256gcm16 aes128gcm16 aes256 aes128');
});
