import { expect, test } from 'vitest';
import { pskAuth, verifyPskAuth } from '../../../main/ike/auth/psk.ts';
import { payloadOf } from '../../../main/ike/payload/payload.ts';
import { RECORDED, read } from '../recorded.ts';

const SECRET = new TextEncoder().encode('an example of a secret');

test.each(RECORDED)('both AUTHs of recorded strongSwan sessions verify: $selected', (recorded) => {
  const { suite, keys, messages } = recorded;
  const Ni = payloadOf(read(recorded, 0).payloads, 'nonce')!.data;
  const Nr = payloadOf(read(recorded, 1).payloads, 'nonce')!.data;
  const request = read(recorded, 2).payloads;
  const response = read(recorded, 3).payloads;
  const idi = payloadOf(request, 'idi')!.raw!;
  const idr = payloadOf(response, 'idr')!.raw!;
  const ofInitiator = { realMessage: messages[0]!.bytes, nonce: Nr, SK_p: keys.SK_pi!, idPayload: idi };
  const ofResponder = { realMessage: messages[1]!.bytes, nonce: Ni, SK_p: keys.SK_pr!, idPayload: idr };
  const [AUTHi, AUTHr] = [payloadOf(request, 'auth')!.data, payloadOf(response, 'auth')!.data];

  expect(pskAuth(suite.prf, SECRET, ofInitiator)).toEqual(AUTHi);
  expect(verifyPskAuth(suite.prf, SECRET, ofInitiator, AUTHi)).toBe(true);
  expect(verifyPskAuth(suite.prf, SECRET, ofResponder, AUTHr)).toBe(true);

  // Neither for the other, nor with anything changed.
  expect(verifyPskAuth(suite.prf, SECRET, ofInitiator, AUTHr)).toBe(false);
  expect(verifyPskAuth(suite.prf, SECRET.subarray(1), ofInitiator, AUTHi)).toBe(false);
  expect(verifyPskAuth(suite.prf, SECRET, { ...ofInitiator, nonce: Ni }, AUTHi)).toBe(false);
  expect(verifyPskAuth(suite.prf, SECRET, { ...ofInitiator, SK_p: keys.SK_pr! }, AUTHi)).toBe(false);
  expect(verifyPskAuth(suite.prf, SECRET, { ...ofInitiator, idPayload: idr }, AUTHi)).toBe(false);
  for (let i = 0; i < AUTHi.length; i++) {
    const flipped = Uint8Array.from(AUTHi);
    flipped[i] = flipped[i]! ^ 1;
    expect(verifyPskAuth(suite.prf, SECRET, ofInitiator, flipped)).toBe(false);
    expect(verifyPskAuth(suite.prf, SECRET, ofInitiator, AUTHi.subarray(0, i))).toBe(false);
  }
});
