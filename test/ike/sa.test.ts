// An IKE SA at its end: wiped keys are zeros, which anybody has.
import { expect, test } from 'vitest';
import { Exchange } from '../../main/ike/message.ts';
import { Protection } from '../../main/ike/protection.ts';
import { sealMessage } from '../../main/ike/sealed.ts';
import { isWireError } from '../../main/wire/error.ts';
import { saOf } from './agreed.ts';

test('a wiped SA takes nothing for genuine, whatever it is sealed with', () => {
  const [sa, peer] = [saOf('initiator'), saOf('responder')];
  const { encr, integ } = sa.suite;
  const genuine = peer.seal({ exchange: Exchange.INFORMATIONAL, messageId: 3, response: false, payloads: [] });
  const [bytes] = genuine.datagrams;
  expect(sa.verifies(bytes!)).toBe(true);
  expect(isWireError(sa.open(bytes!, 0))).toBe(false);
  sa.wipe();
  const zeros = new Protection(encr, integ, new Uint8Array(encr.keyBytes), new Uint8Array(integ?.keyBytes ?? 0));
  const header = { SPIi: 1n, SPIr: 2n, exchange: Exchange.INFORMATIONAL, initiator: false, response: false } as const;
  const forged = sealMessage({ ...header, messageId: 3 }, [], zeros, new Uint8Array(8));
  for (const one of [forged, bytes!]) {
    expect(sa.verifies(one)).toBe(false);
    expect(sa.open(one, 0)).toMatchObject({ authentic: false });
  }
});
