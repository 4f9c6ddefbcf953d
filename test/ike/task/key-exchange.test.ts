// INVALID_KE_PAYLOAD in CREATE_CHILD_SA: followed once, not for ever.
import { expect, test } from 'vitest';
import { Exchange, type Message } from '../../../main/ike/message.ts';
import { NotifyType } from '../../../main/ike/notify.ts';
import { CreateChildTask } from '../../../main/ike/task/create-child.ts';
import { RekeyIkeTask } from '../../../main/ike/task/rekey-ike.ts';
import { address, initiatorConfig } from '../../sim/parties.ts';
import { seededBytes } from '../../sim/random.ts';
import { saOf } from '../agreed.ts';

const X25519 = 31;
const ECP256 = 19;
const random = seededBytes('groups');
const sa = saOf('initiator');

const wants = (group: number): Message => ({
  header: { SPIi: 1n, SPIr: 2n, exchange: Exchange.CREATE_CHILD_SA, initiator: false, response: true, messageId: 0 },
  payloads: [
    {
      kind: 'notify',
      protocol: 0,
      type: NotifyType.INVALID_KE_PAYLOAD,
      spi: new Uint8Array(0),
      data: Uint8Array.of(group >> 8, group & 255),
    },
  ],
  protected: true,
});

test.each([
  [
    'a CHILD SA',
    (group?: number) => {
      const request = { ...initiatorConfig().child, proposals: ['aes128gcm16-x25519-ecp256'] };
      const terms = { sa, request, rekeys: undefined, spiIn: 0x1234, localAddress: address('192.0.2.2'), group };
      return new CreateChildTask(terms, random);
    },
  ],
  [
    'the IKE SA',
    (group?: number) =>
      new RekeyIkeTask({ sa, proposals: ['aes128gcm16-prfsha256-x25519-ecp256'], SPIi: 7n, group }, random),
  ],
])('%s: a peer that never likes the group it gets is tried twice', (_, begin) => {
  expect(begin().process(wants(ECP256))).toEqual({ kind: 'again', group: ECP256 });
  // What was never offered, or has just been sent, is no reason to begin again.
  expect(begin().process(wants(20)).kind).toBe('refused');
  expect(begin().process(wants(X25519)).kind).toBe('refused');
  const second = begin(ECP256).process(wants(X25519));
  expect(second).toMatchObject({ kind: 'refused', type: NotifyType.INVALID_KE_PAYLOAD });
});
