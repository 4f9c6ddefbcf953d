// A server that lies, stumbles or plays dumb: the peer names what is wrong, gives nothing away, and neither throws nor hangs.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMsChallenge, encodeMsText } from '../../main/eap/mschapv2/message.ts';
import { decodeEap, EAP_TYPE, encodeEap } from '../../main/eap/packet.ts';
import type { EapPeer, EapPeerStep } from '../../main/eap/types.ts';
import { isWireError } from '../../main/wire/error.ts';
import { converse, hex, peerOf, secretsOf, serverOf } from './conversation.ts';

const EMPTY = new Uint8Array(0);
const request = (type: number, data: Uint8Array = EMPTY, identifier = 1): Uint8Array =>
  encodeEap({ kind: 'request', identifier, type, data });
const challenge = (identifier = 2): Uint8Array =>
  request(
    EAP_TYPE.mschapv2,
    encodeMsChallenge({ id: identifier, challenge: new Uint8Array(16), name: EMPTY }),
    identifier,
  );
const success = encodeEap({ kind: 'success', identifier: 9 });
const failure = encodeEap({ kind: 'failure', identifier: 9 });
const msText = (kind: 'success' | 'failure', text: string, identifier = 3): Uint8Array =>
  request(EAP_TYPE.mschapv2, encodeMsText(kind, identifier, text), identifier);

const answer = (step: EapPeerStep) => {
  const packet = decodeEap(step.packet);
  if (isWireError(packet) || !('type' in packet)) throw new Error('no Response');
  return packet;
};

async function tell(peer: EapPeer, ...packets: readonly Uint8Array[]): Promise<EapPeerStep> {
  let last: EapPeerStep | undefined;
  for (const packet of packets) last = await peer.process(packet);
  if (!last) throw new RangeError('nothing told');
  return last;
}

const peer = (passwords: readonly string[] = ['secret']) => peerOf({}, secretsOf(passwords).secrets);
const reasonOf = (step: EapPeerStep): string | undefined => (step.state === 'failure' ? step.error.reason : undefined);

describe('a server', () => {
  it('that says success before anything has been proved is not believed', async () => {
    expect(reasonOf(await tell(peer(), success))).toBe('protocol');
    expect(reasonOf(await tell(peer(), request(EAP_TYPE.identity), success))).toBe('protocol');
    expect(reasonOf(await tell(peer(), challenge(), success))).toBe('protocol');
  });

  it('that does not know the password itself is named, even if it says success', async () => {
    const lying = peer();
    const step = await tell(lying, challenge(), msText('success', `S=${'00'.repeat(20)} M=Welcome`));
    // It hears that we do not believe it.
    expect(hex(answer(step).data)).toBe('04');
    expect(lying.failure?.reason).toBe('server-not-authentic');
    expect(reasonOf(await tell(lying, success))).toBe('server-not-authentic');
    expect(reasonOf(await tell(peer(), challenge(), msText('success', 'Welcome'), failure))).toBe(
      'server-not-authentic',
    );
  });

  it.each([
    ['E=648 R=0 V=3 M=Password expired', 'password-expired'],
    ['E=709 R=0 V=3 M=Change it', 'password-expired'],
    ['E=646 R=0', 'account-restricted'],
    ['E=647 R=0', 'account-restricted'],
    ['E=649 R=0', 'account-restricted'],
    [`E=691 R=0 C=${'00'.repeat(16)} V=3 M=no`, 'credentials-refused'],
    ['nonsense', 'credentials-refused'],
  ])('that says %s is understood', async (text, reason) => {
    const told = peer(['wrong']);
    const step = await tell(told, challenge(), msText('failure', text));
    expect(hex(answer(step).data)).toBe('04');
    expect(reasonOf(await tell(told, failure))).toBe(reason);
  });

  it('shows its words without what could move a cursor, and not without end', async () => {
    const told = peer(['wrong']);
    await tell(told, challenge(), msText('failure', `E=647 R=0 V=3 M=\u001b[2J\u202egone ${'x'.repeat(9999)}`));
    const message = told.failure?.message ?? '';
    expect(message).toContain('[2Jgone');
    expect(message).not.toMatch(/\p{C}/u);
    expect(message.length).toBeLessThan(300);
  });

  it('that repeats a Request gets the same answer, and nobody is asked twice', async () => {
    const { secrets, asked } = secretsOf(['secret', 'another']);
    const twice = peerOf({}, secrets);
    const one = await twice.process(challenge());
    const two = await twice.process(challenge());
    expect(hex(two.packet)).toBe(hex(one.packet));
    expect(asked).toEqual(['password']);
    // At the same time, too.
    const both = peerOf({}, secretsOf(['secret', 'another']).secrets);
    const [a, b] = await Promise.all([both.process(challenge()), both.process(challenge())]);
    expect(hex(a.packet)).toBe(hex(b.packet));
  });

  it('that changes the method in the middle is refused', async () => {
    const step = await tell(peer(), challenge(), request(EAP_TYPE.gtc, EMPTY, 3));
    expect(reasonOf(step)).toBe('protocol');
    if (step.state === 'failure') expect(step.error.message).toContain('EAP-GTC in the middle of EAP-MSCHAPv2');
  });

  it('that may notify gets an empty answer', async () => {
    const step = await tell(peer(), request(EAP_TYPE.notification, new TextEncoder().encode('Mind the gap')));
    expect(answer(step)).toMatchObject({ type: EAP_TYPE.notification, data: EMPTY });
  });

  it.each([18, 99, EAP_TYPE.expanded])('that asks for type %i hears what is allowed, in order', async (type) => {
    const picky = peerOf(
      { methods: ['peap', 'mschapv2'], trust: { authorities: [], serverNames: [] } },
      secretsOf([]).secrets,
    );
    expect([...answer(await tell(picky, request(type))).data]).toEqual([EAP_TYPE.peap, EAP_TYPE.mschapv2]);
    const step = await tell(picky, failure);
    expect(reasonOf(step)).toBe('no-common-method');
    const none = peerOf({ methods: [] }, secretsOf([]).secrets);
    expect([...answer(await tell(none, request(type))).data]).toEqual([0]);
  });

  it('that asks without end is left', async () => {
    const patient = peer();
    let step = await patient.process(request(EAP_TYPE.identity, EMPTY, 0));
    let rounds = 0;
    for (; step.state === 'under-way' && rounds < 5000; rounds++)
      step = await patient.process(request(EAP_TYPE.identity, Uint8Array.of(rounds >> 8, rounds & 255), rounds & 255));
    expect(reasonOf(step)).toBe('protocol');
    expect(rounds).toBeLessThan(1500);
  });

  it('that sends anything at all gets an answer or an end', async () => {
    const packet = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .record({
          kind: fc.constantFrom('request' as const, 'response' as const),
          identifier: fc.nat(255),
          type: fc.constantFrom(1, 2, 3, 4, 5, 6, 13, 21, 25, 26, 33, 254),
          data: fc.uint8Array({ maxLength: 80 }),
        })
        .map(encodeEap),
      fc.constantFrom(
        challenge(),
        success,
        failure,
        msText('success', 'S='),
        request(EAP_TYPE.ttls, Uint8Array.of(0x20)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 6 }), async (packets) => {
        const any = peerOf(
          {
            methods: ['ttls', 'peap', 'mschapv2', 'gtc', 'otp', 'md5'],
            trust: { authorities: undefined, serverNames: ['a'] },
          },
          secretsOf(['a', 'b', 'c', 'd', 'e', 'f'], ['1', '2', '3', '4', '5', '6']).secrets,
        );
        for (const bytes of packets) {
          const step = await any.process(bytes);
          if (step.state === 'success') expect(step.msk).toBeUndefined();
        }
        any.close();
      }),
      { numRuns: 150 },
    );
  });
});

describe('a peer that is closed', () => {
  it('while a person is typing comes to nothing', async () => {
    let typed: (password: string) => void = () => {};
    const waiting = peerOf(
      {},
      {
        password: () =>
          new Promise((resolve) => {
            typed = resolve;
          }),
        code: async () => null,
      },
    );
    const step = waiting.process(challenge());
    await new Promise((resolve) => setImmediate(resolve));
    waiting.close();
    typed('too late');
    expect((await step).state).toBe('failure');
    expect(reasonOf(await waiting.process(success))).toBe('prompt-cancelled');
  });

  it('forgets its keys', async () => {
    const { secrets } = secretsOf(['correct horse']);
    const over = peerOf({}, secrets);
    const { peer: step } = await converse(over, serverOf());
    if (step.state !== 'success') throw new Error('no success');
    const msk = hex(step.msk);
    over.close();
    // What was handed out is the caller's.
    expect(hex(step.msk)).toBe(msk);
    expect((await over.process(success)).state).toBe('failure');
  });
});
