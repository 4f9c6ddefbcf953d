import { describe, expect, test } from 'vitest';
import { KEY_EXCHANGES, type KeyExchange } from '../../main/crypto/ke.ts';
import { ML_KEM_768, ML_KEM_1024 } from '../../main/crypto/ke-mlkem.ts';
import { X25519 } from '../../main/crypto/ke-montgomery.ts';
import { AdditionalKeyExchanges } from '../../main/ike/additional-ke.ts';
import { seeded } from '../crypto/seeded.ts';

const pair = (methods: readonly KeyExchange[]) =>
  [new AdditionalKeyExchanges(methods, seeded(1)), new AdditionalKeyExchanges(methods, seeded(2))] as const;

describe('AdditionalKeyExchanges', () => {
  test('both ends get the same secrets, one after the other', () => {
    const [initiator, responder] = pair([ML_KEM_768, X25519, ML_KEM_1024]);
    for (const name of ['ML-KEM-768', 'X25519', 'ML-KEM-1024']) {
      expect(initiator.next?.name).toBe(name);
      expect(responder.next?.name).toBe(name);
      const answer = responder.respond(initiator.offer());
      if (typeof answer === 'string') throw new Error(answer);
      expect(initiator.accept(answer.payload)).toEqual(answer.secret);
    }
    expect(initiator.next).toBeUndefined();
    expect(responder.next).toBeUndefined();
    expect(initiator.secrets).toHaveLength(3);
    expect(initiator.secrets).toEqual(responder.secrets);
    expect(() => initiator.offer()).toThrow('done');
    expect(() => responder.respond(undefined)).toThrow('done');
  });

  test('offers the same value until it is answered', () => {
    const [initiator] = pair([ML_KEM_768]);
    expect(initiator.offer()).toEqual(initiator.offer());
    expect(initiator.accept({ kind: 'ke', method: 31, data: new Uint8Array(32) })).toContain(
      'method 31, ML-KEM-768 (36)',
    );
    expect(initiator.accept({ kind: 'ke', method: 36, data: new Uint8Array(1087) })).toContain('(length)');
    expect(initiator.accept(undefined)).toContain('missing');
    expect(initiator.next).toBe(ML_KEM_768);
  });

  test('refuses what is not the method that is due', () => {
    const [initiator, responder] = pair([ML_KEM_768, ML_KEM_1024]);
    expect(responder.respond(undefined)).toContain('missing');
    expect(responder.respond({ ...initiator.offer(), method: 37 })).toContain('method 37');
    expect(responder.respond({ kind: 'ke', method: 36, data: new Uint8Array(1184).fill(255) })).toContain('(modulus)');
    expect(responder.next).toBe(ML_KEM_768);
  });

  test.each(KEY_EXCHANGES)('does $name', (method) => {
    const [initiator, responder] = pair([method]);
    const answer = responder.respond(initiator.offer());
    if (typeof answer === 'string') throw new Error(answer);
    expect(initiator.accept(answer.payload)).toEqual(answer.secret);
  });

  test('forgets its secrets', () => {
    const [initiator, responder] = pair([ML_KEM_768, X25519]);
    const answer = responder.respond(initiator.offer());
    if (typeof answer === 'string') throw new Error(answer);
    initiator.accept(answer.payload);
    initiator.offer();
    const [secret] = initiator.secrets;
    initiator.wipe();
    expect(secret?.every((byte) => byte === 0)).toBe(true);
    expect(() => initiator.accept(answer.payload)).toThrow('nothing');
  });
});
