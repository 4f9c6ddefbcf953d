// A client that lies, stumbles or plays dumb: the authenticator lets nobody in who has not proved anything, and neither throws
// nor hangs.
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeEap, EAP_TYPE, encodeEap } from '../../main/eap/packet.ts';
import { encodeFrame } from '../../main/eap/tls/frame.ts';
import type { EapMethodName, EapServer, EapServerStep } from '../../main/eap/types.ts';
import { isWireError } from '../../main/wire/error.ts';
import { type EapCertificates, makeCertificates } from './certificates.ts';
import { hex, serverOf } from './conversation.ts';

let certificates: EapCertificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

const identifierOf = (step: EapServerStep): number => {
  const packet = decodeEap(step.packet);
  if (isWireError(packet)) throw new Error('not EAP');
  return packet.identifier;
};
const respond = (step: EapServerStep, type: number, data: Uint8Array): Uint8Array =>
  encodeEap({ kind: 'response', identifier: identifierOf(step), type, data });
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const serverFor = (methods: readonly EapMethodName[]): EapServer =>
  serverOf({
    methods,
    inner: ['pap', 'mschapv2', 'eap-mschapv2', 'eap-gtc'],
    tls: { ...certificates.server, clientAuthorities: [certificates.authority] },
  });

describe('the authenticator', () => {
  it('sends its last Request again where the answer is another’s', async () => {
    const server = serverOf();
    const first = await server.begin('');
    const wrong = encodeEap({
      kind: 'response',
      identifier: (identifierOf(first) + 1) & 255,
      type: EAP_TYPE.identity,
      data: text('alice'),
    });
    for (const packet of [wrong, Uint8Array.of(1, 2, 3), first.packet, respond(first, EAP_TYPE.gtc, text('x'))])
      expect(hex((await server.process(packet)).packet)).toBe(hex(first.packet));
  });

  it('ends where a Nak leaves nothing', async () => {
    const server = serverOf({ methods: ['mschapv2', 'gtc'] });
    const first = await server.begin('');
    const proposed = await server.process(respond(first, EAP_TYPE.identity, text('alice')));
    const step = await server.process(respond(proposed, EAP_TYPE.nak, Uint8Array.of(EAP_TYPE.peap, 99)));
    expect(step).toMatchObject({ state: 'failure', because: 'no method in common, the peer wants PEAP, EAP type 99' });
    // And stays so.
    expect(await server.process(respond(proposed, EAP_TYPE.gtc, text('correct horse')))).toEqual(step);
  });

  it('takes no Nak any more once the method is under way', async () => {
    const server = serverOf({ methods: ['mschapv2', 'md5'] });
    const first = await server.begin('');
    const proposed = await server.process(respond(first, EAP_TYPE.identity, text('alice')));
    const garbled = await server.process(respond(proposed, EAP_TYPE.mschapv2, text('?')));
    const step = await server.process(respond(garbled, EAP_TYPE.nak, Uint8Array.of(EAP_TYPE.md5)));
    expect(hex(step.packet)).toBe(hex(garbled.packet));
  });

  it.each(['alice', 'nobody', ''])('refuses %j after three wrong passwords', async (name) => {
    const server = serverOf({ methods: ['mschapv2'], askIdentity: false });
    let step = await server.begin(name);
    for (let tries = 0; step.state === 'under-way'; tries++) {
      expect(tries).toBeLessThan(5);
      // 49 bytes of proof that prove nothing.
      const data = Uint8Array.of(2, 1, 0, 54 + name.length, 49, ...new Uint8Array(49), ...text(name));
      step = await server.process(respond(step, EAP_TYPE.mschapv2, data));
    }
    expect(step.state).toBe('failure');
  });

  it('lets nobody in for anything at all', async () => {
    const types = fc.constantFrom(1, 2, 3, 4, 5, 6, 13, 21, 25, 26, 33, 254);
    const frame = fc
      .record({
        start: fc.boolean(),
        more: fc.boolean(),
        version: fc.nat(7),
        length: fc.option(fc.nat(200_000), { nil: undefined }),
        // A TLS record's header, or nonsense.
        data: fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.uint8Array({ maxLength: 60 }).map((body) => Uint8Array.of(22, 3, 1, 0, body.length, ...body)),
        ),
      })
      .map(encodeFrame);
    const answer = fc.record({ type: types, data: fc.oneof(fc.uint8Array({ maxLength: 80 }), frame) });
    const methods = fc.constantFrom<EapMethodName>('tls', 'ttls', 'peap', 'mschapv2', 'gtc', 'md5');
    await fc.assert(
      fc.asyncProperty(methods, fc.array(answer, { maxLength: 6 }), async (method, answers) => {
        const server = serverFor([method]);
        let step = await server.begin('alice');
        step = await server.process(respond(step, EAP_TYPE.identity, text('alice')));
        for (const { type, data } of answers) {
          step = await server.process(respond(step, type, data));
          expect(step.state).not.toBe('success');
        }
        server.close();
      }),
      { numRuns: 100 },
    );
  });
});
