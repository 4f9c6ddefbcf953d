import { describe, expect, test } from 'vitest';
import {
  asksForMore,
  checkAnswer,
  choose,
  DEFAULT_ESP_PROPOSALS,
  DEFAULT_IKE_PROPOSALS,
  formatTransforms,
  offer,
  ProposalError,
  parseProposal,
} from '../../main/crypto/proposal.ts';
import { espSuite, ikeSuite } from '../../main/crypto/suite.ts';
import { type Proposal, type Transform, TransformType, transform } from '../../main/crypto/transform.ts';

const { ENCR, PRF, INTEG, KE, ESN, ADDKE1 } = TransformType;
const NONE = new Uint8Array(0);
const SPI = Uint8Array.of(1, 2, 3, 4);

const short = (transforms: readonly Transform[]) =>
  transforms.map(({ type, id, attributes }) => [type, id, ...attributes.map(({ value }) => value)]);

describe('parseProposal', () => {
  test('an IKE proposal with an AEAD', () => {
    expect(short(parseProposal('aes256gcm16-prfsha256-ecp256', 'ike'))).toEqual([
      [ENCR, 20, 256],
      [PRF, 5],
      [KE, 19],
    ]);
  });

  test('with AES-CBC the PRF follows the integrity algorithm', () => {
    expect(short(parseProposal('aes256-sha256-modp2048', 'ike'))).toEqual([
      [ENCR, 12, 256],
      [PRF, 5],
      [INTEG, 12],
      [KE, 14],
    ]);
    expect(short(parseProposal('aes128-sha256-sha512-prfsha384-x25519', 'ike'))).toEqual([
      [ENCR, 12, 128],
      [PRF, 6],
      [INTEG, 12],
      [INTEG, 14],
      [KE, 31],
    ]);
  });

  test('with an AEAD an integrity algorithm only names the PRF, as in strongSwan', () => {
    expect(parseProposal('aes128gcm16-sha384-ecp384', 'ike')).toEqual(
      parseProposal('aes128gcm16-prfsha384-ecp384', 'ike'),
    );
  });

  test('ESP proposals', () => {
    expect(short(parseProposal('aes128gcm16', 'esp'))).toEqual([
      [ENCR, 20, 128],
      [ESN, 0],
    ]);
    expect(short(parseProposal('aes256gcm16-noesn-esn', 'esp'))).toEqual([
      [ENCR, 20, 256],
      [ESN, 0],
      [ESN, 1],
    ]);
    expect(short(parseProposal('chacha20poly1305-ecp256-esn', 'esp'))).toEqual([
      [ENCR, 28],
      [KE, 19],
      [ESN, 1],
    ]);
    expect(parseProposal('aes128gcm16-sha256', 'esp')).toEqual(parseProposal('aes128gcm16', 'esp'));
  });

  test('takes other spellings, any case, and a word twice', () => {
    for (const [other, usual] of [
      ['aes128gcm128-prfsha256-curve25519', 'aes128gcm16-prfsha256-x25519'],
      [' AES-SHA2_256-MODP2048 ', 'aes128-sha256-modp2048'],
      ['aes256gcm-aes256gcm16-prfsha256-ecp256-ecp256', 'aes256gcm16-prfsha256-ecp256'],
    ] as const)
      expect(parseProposal(other, 'ike')).toEqual(parseProposal(usual, 'ike'));
  });

  test.each([
    ['', 'ike', '"" is not known', 'use words'],
    ['aes256gcm16-prfsha265-ecp256', 'ike', '"prfsha265" is not known', 'did you mean "prfsha256"?'],
    ['3des-sha1-modp1024', 'ike', '"3des" is not known', ''],
    ['prfsha256-ecp256', 'ike', 'names no encryption', 'aes256gcm16'],
    ['aes256gcm16-aes256-sha256-ecp256', 'ike', 'mixes', 'two proposals'],
    ['aes256-prfsha256-ecp256', 'ike', 'needs an integrity algorithm', 'sha256'],
    ['aes256gcm16-ecp256', 'ike', 'names no PRF', 'prfsha256'],
    ['aes256gcm16-prfsha256', 'ike', 'names no key exchange', 'ecp256'],
    ['aes256gcm16-prfsha256-ecp256-esn', 'ike', 'belong to ESP', 'leave'],
    ['aes256gcm16-prfsha256', 'esp', 'ESP has no PRF', 'prfsha256'],
    ['aes256gcm16-aes256ctr-sha256', 'esp', 'mixes aes256ctr with', 'two proposals'],
    ['aes128ctr', 'esp', 'aes128ctr needs an integrity algorithm', 'sha256'],
    ['aes128ctr-sha256-ecp256', 'ike', 'AES-CTR is for ESP only', 'aes256'],
    ['null-sha256', 'esp', '"null" encrypts nothing', 'aes256gcm16'],
    ['aes256gcm16-null-sha256', 'esp', '"null" encrypts nothing', 'aes256gcm16'],
    ['aes128gmac', 'esp', '"aes128gmac" encrypts nothing', 'aes256gcm16'],
    ['null-sha256-modp2048', 'ike', '"null" encrypts nothing', ''],
    ['aes256', 'esp', 'needs an integrity algorithm', 'sha256'],
    ['aes256gcm16-prfsha256-ke1_mlkem768', 'ike', '"ke1_mlkem768" comes on top of a key exchange', 'ecp256'],
    ['aes256gcm16-none-ke2_mlkem768', 'esp', '"ke2_mlkem768" comes on top of a key exchange', 'ecp256'],
    ['aes256gcm16-prfsha256-ecp256-none', 'ike', 'an IKE SA needs a key exchange', 'none'],
    ['aes256gcm16-prfsha256-ecp256-ke8_mlkem768', 'ike', '"ke8_mlkem768" is not known', ''],
    ['aes256gcm16-prfsha256-ecp256-ke1_sha256', 'ike', '"ke1_sha256" is not known', ''],
  ] as const)('%j for %s: %s', (text, protocol, problem, remedy) => {
    const error = (() => {
      try {
        parseProposal(text, protocol);
      } catch (caught) {
        return caught;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(ProposalError);
    expect(error).toMatchObject({
      text,
      message: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    });
  });
});

describe('formatTransforms', () => {
  const ikeTexts = [
    ...DEFAULT_IKE_PROPOSALS,
    'aes256gcm16-prfsha256-ecp256',
    'chacha20poly1305-prfsha256-x25519',
    'aes192-sha384-modp2048',
    'aes128-sha256-prfsha512-ecp384',
    'aes256gcm16-prfsha384-x25519-ke1_mlkem768',
    'aes256gcm16-prfsha256-x448-ecp521-ke1_mlkem1024-ke1_mlkem768-ke1_none-ke7_modp4096',
  ];
  const espTexts = [
    ...DEFAULT_ESP_PROPOSALS,
    'aes256gcm16',
    'aes128gcm16-esn',
    'aes192gcm16-noesn-esn',
    'chacha20poly1305-x25519-esn',
    'aes256-sha256',
    'aes128-sha1-esn',
    'aes256ctr-sha512',
    'aes192-aes128ctr-sha384-sha256-ecp256',
    'aes256gcm16-ecp256-none',
    'aes256gcm16-x25519-esn-ke1_mlkem768-ke1_none',
  ];
  test.each(ikeTexts)('%s', (text) => expect(formatTransforms(parseProposal(text, 'ike'))).toBe(text));
  test.each(espTexts)('%s', (text) => expect(formatTransforms(parseProposal(text, 'esp'))).toBe(text));

  test('names transforms that have no word', () => {
    expect(formatTransforms([transform(ENCR, 99, 256), transform(KE, 90), transform(6, 91), transform(13, 1)])).toBe(
      'encr:99-ke:90-ke1_ke:91-type13:1',
    );
  });
});

describe('choose', () => {
  const chosen = (
    offered: readonly string[],
    supported: readonly string[],
    options: Parameters<typeof choose>[3] = {},
  ) => choose(offer(offered, 'ike', NONE), supported, 'ike', options);

  test("the responder's order decides, unless the initiator's shall", () => {
    const offered = ['aes128gcm16-prfsha256-ecp256-x25519', 'aes256gcm16-prfsha256-ecp256'];
    const supported = ['aes256gcm16-prfsha256-ecp256', 'aes128gcm16-prfsha256-x25519-ecp256'];
    expect(chosen(offered, supported)).toMatchObject({ name: 'aes256gcm16-prfsha256-ecp256', proposal: { number: 2 } });
    expect(chosen(offered, supported, { prefer: 'initiator' })).toMatchObject({
      name: 'aes128gcm16-prfsha256-ecp256',
      proposal: { number: 1 },
    });
    expect(chosen(offered.slice(0, 1), supported)?.name).toBe('aes128gcm16-prfsha256-x25519');
  });

  test('takes one transform of each type', () => {
    const choice = chosen(DEFAULT_IKE_PROPOSALS, ['aes128-sha384-ecp384']);
    expect(short(choice?.proposal.transforms ?? [])).toEqual([
      [ENCR, 12, 128],
      [PRF, 6],
      [INTEG, 13],
      [KE, 20],
    ]);
    expect(choice?.proposal.number).toBe(3);
  });

  test('nothing in common', () => {
    expect(chosen(['aes256gcm16-prfsha256-ecp256'], ['aes128gcm16-prfsha256-ecp256'])).toBeUndefined();
    expect(chosen(['aes256gcm16-prfsha256-ecp256'], ['aes256gcm16-prfsha256-modp2048'])).toBeUndefined();
    expect(chosen(['aes256-sha256-ecp256'], ['aes256gcm16-prfsha256-ecp256'])).toBeUndefined();
    expect(chosen([], DEFAULT_IKE_PROPOSALS)).toBeUndefined();
    expect(choose(offer(['aes128gcm16'], 'esp', SPI), DEFAULT_IKE_PROPOSALS, 'ike')).toBeUndefined();
  });

  const esp = (transforms: readonly Transform[], spi = SPI): Proposal[] => [
    { number: 1, protocol: 3, spi, transforms },
  ];
  const gcm = transform(ENCR, 20, 128);
  const noEsn = transform(ESN, 0);

  test('a type that we do not know must be optional', () => {
    expect(choose(esp([gcm, noEsn, transform(6, 36)]), ['aes128gcm16'], 'esp')).toBeUndefined();
    const optional = choose(esp([gcm, noEsn, transform(6, 36), transform(6, 0)]), ['aes128gcm16'], 'esp');
    expect(short(optional?.proposal.transforms ?? [])).toEqual([
      [ENCR, 20, 128],
      [ESN, 0],
      [6, 0],
    ]);
  });

  test('"no integrity" beside an AEAD is repeated (RFC 7296 §3.3.2)', () => {
    const choice = choose(esp([gcm, transform(INTEG, 0), noEsn]), ['aes128gcm16'], 'esp');
    expect(short(choice?.proposal.transforms ?? [])).toEqual([
      [ENCR, 20, 128],
      [INTEG, 0],
      [ESN, 0],
    ]);
    expect(choice?.name).toBe('aes128gcm16');
  });

  test('a transform with an attribute that we do not know is another transform (RFC 7296 §3.3.6)', () => {
    const odd = { ...gcm, attributes: [...gcm.attributes, { type: 99, value: 1 }] };
    expect(choose(esp([odd, noEsn]), ['aes128gcm16'], 'esp')).toBeUndefined();
    expect(choose(esp([odd, gcm, noEsn]), ['aes128gcm16'], 'esp')?.proposal.transforms[0]).toEqual(gcm);
    expect(choose(esp([transform(ENCR, 20), noEsn]), ['aes128gcm16'], 'esp')).toBeUndefined();
  });

  test('sequence numbers must be the same size', () => {
    expect(choose(esp([gcm, noEsn]), ['aes128gcm16-esn'], 'esp')).toBeUndefined();
    expect(choose(esp([gcm]), ['aes128gcm16'], 'esp')).toBeUndefined();
    expect(choose(esp([gcm, noEsn, transform(ESN, 1)]), ['aes128gcm16-esn-noesn'], 'esp')?.name).toBe(
      'aes128gcm16-esn',
    );
  });

  test('key exchanges are left out where there is none, else they must fit', () => {
    const offered = offer(['aes128gcm16-ecp256'], 'esp', SPI);
    expect(choose(offered, ['aes128gcm16'], 'esp', { withoutKe: true })?.name).toBe('aes128gcm16');
    expect(choose(offered, ['aes128gcm16'], 'esp')).toBeUndefined();
    expect(choose(offered, ['aes128gcm16-x25519-ecp256'], 'esp')?.name).toBe('aes128gcm16-ecp256');
    expect(short(offer(['aes128gcm16-ecp256'], 'esp', SPI, { withoutKe: true })[0]?.transforms ?? [])).toEqual([
      [ENCR, 20, 128],
      [ESN, 0],
    ]);
  });

  test('the SPI must have the length of its protocol', () => {
    expect(choose(esp([gcm, noEsn], NONE), ['aes128gcm16'], 'esp')).toBeUndefined();
    const rekey = offer(DEFAULT_IKE_PROPOSALS, 'ike', new Uint8Array(8));
    expect(choose(rekey, DEFAULT_IKE_PROPOSALS, 'ike')?.name).toBe('aes256gcm16-prfsha256-ecp256-ke1_mlkem768');
    expect(choose(offer(DEFAULT_IKE_PROPOSALS, 'ike', SPI), DEFAULT_IKE_PROPOSALS, 'ike')).toBeUndefined();
  });
});

describe('additional key exchanges (RFC 9370 §2.2.2)', () => {
  const HYBRID = 'aes256gcm16-prfsha256-ecp256-ke1_mlkem768';
  const EITHER = 'aes256gcm16-prfsha256-ecp256-ke1_mlkem768-ke1_none';
  const PLAIN = 'aes256gcm16-prfsha256-ecp256';
  const chosen = (
    offered: readonly string[],
    supported: readonly string[],
    options: Parameters<typeof choose>[3] = {},
  ) => choose(offer(offered, 'ike', NONE), supported, 'ike', options);

  test('are written and read by the numbers of their types', () => {
    expect(short(parseProposal('aes256gcm16-prfsha256-ke2_mlkem1024-x25519-ke1_mlkem768-ke1_none', 'ike'))).toEqual([
      [ENCR, 20, 256],
      [PRF, 5],
      [KE, 31],
      [6, 36],
      [6, 0],
      [7, 37],
    ]);
  });

  test('are chosen where both ends have them, and left out where one can do without', () => {
    expect(chosen([HYBRID], [HYBRID])?.name).toBe(HYBRID);
    expect(chosen([HYBRID, PLAIN], [PLAIN])).toMatchObject({ name: PLAIN, proposal: { number: 2 } });
    expect(chosen([HYBRID], [PLAIN])).toBeUndefined();
    expect(chosen([PLAIN], [HYBRID])).toBeUndefined();
    expect(chosen([EITHER], [EITHER])?.name).toBe(HYBRID);
    expect(chosen([PLAIN], [EITHER])?.name).toBe(PLAIN);
    // What was offered with NONE is answered with NONE, and the name does not mention it.
    const without = chosen([EITHER], [PLAIN]);
    expect(without?.name).toBe(PLAIN);
    expect(short(without?.proposal.transforms ?? [])).toContainEqual([6, 0]);
    expect(checkAnswer([without!.proposal], offer([EITHER], 'ike', NONE))).toBe(without!.proposal);
  });

  test('no method is done twice', () => {
    const twice = 'aes256gcm16-prfsha256-mlkem768-x25519-ke1_mlkem768-ke2_x25519-ke2_mlkem1024';
    expect(chosen([twice], [twice])?.name).toBe('aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_mlkem1024');
    const only = 'aes256gcm16-prfsha256-x25519-ke1_x25519';
    expect(chosen([only], [only])).toBeUndefined();
    const offered = offer([only], 'ike', NONE);
    expect(checkAnswer(offered, offered)).toContain('repeats the key exchange of ke1_x25519');
  });

  test('an answer may not add, drop or exchange one', () => {
    const offered = offer([HYBRID], 'ike', NONE);
    const answer = (text: string) => offer([text], 'ike', NONE);
    expect(checkAnswer(answer(PLAIN), offered)).toContain('no transform of type 6');
    expect(checkAnswer(answer('aes256gcm16-prfsha256-ecp256-ke1_mlkem1024'), offered)).toContain('ke1_mlkem1024');
    expect(checkAnswer(offered, answer(PLAIN))).toContain('ke1_mlkem768');
    expect(checkAnswer(answer(EITHER), answer(EITHER))).toContain('two transforms');
  });

  test('without IKE_INTERMEDIATE: what insists is not offered, what is optional loses it', () => {
    const options = { withoutAdditional: true };
    const names = (texts: readonly string[]) =>
      offer(texts, 'ike', NONE, options).map(({ number, transforms }) => [number, formatTransforms(transforms)]);
    // Each once.
    expect(names([HYBRID, EITHER, PLAIN])).toEqual([[1, PLAIN]]);
    expect(names([HYBRID])).toEqual([]);
    // A peer that offers them all the same gets none.
    expect(chosen([HYBRID, PLAIN], [HYBRID, EITHER], options)).toMatchObject({ name: PLAIN, proposal: { number: 2 } });
    expect(chosen([HYBRID], [HYBRID, EITHER], options)).toBeUndefined();
    expect(asksForMore(offer([PLAIN, EITHER], 'ike', NONE))).toBe(true);
    expect(asksForMore(offer([PLAIN, EITHER], 'ike', NONE, options))).toBe(false);
  });

  test('a CHILD SA of IKE_AUTH has none; elsewhere its key exchange may be optional', () => {
    const text = 'aes256gcm16-x25519-none-ke1_mlkem768-ke1_none';
    expect(short(offer([text], 'esp', SPI, { withoutKe: true })[0]?.transforms ?? [])).toEqual([
      [ENCR, 20, 256],
      [ESN, 0],
    ]);
    const choice = choose(offer([text], 'esp', SPI), ['aes256gcm16'], 'esp');
    expect(choice?.name).toBe('aes256gcm16');
    expect(espSuite(choice!.proposal.transforms)).toMatchObject({ ke: undefined, additional: [] });
    expect(choose(offer([text], 'esp', SPI), [text], 'esp')?.name).toBe('aes256gcm16-x25519-ke1_mlkem768');
    expect(choose(offer(['aes256gcm16'], 'esp', SPI), [text], 'esp')?.name).toBe('aes256gcm16');
  });

  test('are in the suite in the order of their types', () => {
    const suite = ikeSuite(parseProposal('aes256gcm16-prfsha256-ecp256-ke3_mlkem1024-ke1_mlkem768-ke2_none', 'ike'));
    expect(suite.additional.map((ke) => ke.name)).toEqual(['ML-KEM-768', 'ML-KEM-1024']);
    expect(suite.name).toBe('aes256gcm16-prfsha256-ecp256-ke1_mlkem768-ke3_mlkem1024');
    const esp = espSuite(parseProposal('aes256gcm16-ecp256-ke7_mlkem512', 'esp'));
    expect(esp.additional.map((ke) => ke.id)).toEqual([35]);
  });
});

describe('checkAnswer', () => {
  const offered = offer(DEFAULT_IKE_PROPOSALS, 'ike', NONE);
  const good = (): Proposal => ({
    number: 2,
    protocol: 1,
    spi: NONE,
    transforms: parseProposal('chacha20poly1305-prfsha384-x25519', 'ike'),
  });

  test('takes what choose makes of every offer', () => {
    for (const supported of ['aes128gcm16-prfsha512-ecp384', 'aes256-sha256-modp2048']) {
      const choice = choose(offered, [supported], 'ike');
      expect(checkAnswer([choice!.proposal], offered)).toBe(choice!.proposal);
    }
    expect(checkAnswer([good()], offered)).toEqual(good());
  });

  test('takes a superfluous "no integrity"', () => {
    const answer = { ...good(), transforms: [...good().transforms, transform(INTEG, 0)] };
    expect(checkAnswer([answer], offered)).toBe(answer);
    expect(ikeSuite(answer.transforms).integ).toBeUndefined();
  });

  const without = (type: number) => good().transforms.filter((of) => of.type !== type);
  test.each<[string, Proposal[], string]>([
    ['none', [], '0 proposals'],
    ['two', [good(), good()], '2 proposals'],
    ['an unknown number', [{ ...good(), number: 9 }], 'proposal 9'],
    ['another protocol', [{ ...good(), protocol: 3 }], 'protocol 3'],
    ['an SPI of another length', [{ ...good(), spi: SPI }], '4 bytes'],
    [
      'two transforms of a type',
      [{ ...good(), transforms: [...good().transforms, transform(KE, 19)] }],
      'two transforms',
    ],
    ['no transform of a type', [{ ...good(), transforms: without(KE) }], 'no transform of type 4'],
    ['a transform never offered', [{ ...good(), transforms: [...without(KE), transform(KE, 99)] }], 'ke:99'],
    ['another key length', [{ ...good(), transforms: [...without(ENCR), transform(ENCR, 20, 192)] }], 'aes192gcm16'],
    ['a missing key length', [{ ...good(), transforms: [...without(ENCR), transform(ENCR, 20)] }], 'encr:20'],
    ['integrity beside an AEAD', [{ ...good(), transforms: [...good().transforms, transform(INTEG, 12)] }], 'sha256'],
    ['the CBC proposal with an AEAD', [{ ...good(), number: 3 }], 'chacha20poly1305'],
  ])('refuses %s', (_, answer, problem) => {
    expect(checkAnswer(answer, offered)).toEqual(expect.stringContaining(problem));
  });

  test('an optional type may be left out', () => {
    const optional: Proposal[] = [{ ...good(), transforms: [...good().transforms, transform(6, 36), transform(6, 0)] }];
    const answer = good();
    expect(checkAnswer([answer], optional)).toBe(answer);
    const forced: Proposal[] = [{ ...good(), transforms: [...good().transforms, transform(6, 36)] }];
    expect(checkAnswer([answer], forced)).toContain('type 6');
  });
});

describe('suites', () => {
  test('every combination that can be written is implemented', () => {
    let count = 0;
    for (const text of DEFAULT_IKE_PROPOSALS) {
      const transforms = parseProposal(text, 'ike');
      const of = (type: number) => transforms.filter((one) => one.type === type);
      for (const encr of of(ENCR))
        for (const prf of of(PRF))
          for (const ke of of(KE))
            for (const integ of of(INTEG).length ? of(INTEG) : [undefined]) {
              const chosen = [encr, prf, ...(integ ? [integ] : []), ke, ...of(ADDKE1)];
              const suite = ikeSuite(chosen);
              expect([suite.encr.id, suite.prf.id, suite.integ?.id, suite.ke.id]).toEqual([
                encr.id,
                prf.id,
                integ?.id,
                ke.id,
              ]);
              expect(parseProposal(suite.name, 'ike')).toEqual(chosen);
              count++;
            }
    }
    expect(count).toBe(2 * (3 * 3 * 4) + 2 * 3 * 3 * 4);
  });

  test('ESP', () => {
    expect(espSuite(parseProposal('aes256gcm16-esn', 'esp'))).toEqual({
      name: 'aes256gcm16-esn',
      cipher: 'aes-gcm-16',
      keyBytes: 32,
      saltBytes: 4,
      integrity: undefined,
      integrityKeyBytes: 0,
      esn: true,
      ke: undefined,
      additional: [],
    });
    expect(espSuite(parseProposal('aes128gcm16', 'esp'))).toMatchObject({ keyBytes: 16, esn: false });
    expect(espSuite(parseProposal('chacha20poly1305-x25519', 'esp'))).toMatchObject({
      cipher: 'chacha20-poly1305',
      keyBytes: 32,
      ke: { id: 31 },
    });
  });

  // Key lengths: RFC 3602 §3.2, RFC 3686 §5.1, RFC 2404 §3, RFC 4868 §2.6.
  test.each([
    ['aes256-sha256', 'aes-cbc', 32, 0, 'hmac-sha2-256-128', 32],
    ['aes192-sha384', 'aes-cbc', 24, 0, 'hmac-sha2-384-192', 48],
    ['aes128-sha1', 'aes-cbc', 16, 0, 'hmac-sha1-96', 20],
    ['aes256ctr-sha512', 'aes-ctr', 32, 4, 'hmac-sha2-512-256', 64],
    ['null-sha256', 'null', 0, 0, 'hmac-sha2-256-128', 32],
    ['aes192gmac', 'null-aes-gmac', 24, 4, undefined, 0],
  ] as const)('ESP %s', (text, cipher, keyBytes, saltBytes, integrity, integrityKeyBytes) => {
    expect(espSuite(parseProposal(text, 'esp', { unencrypted: true }))).toEqual({
      name: text,
      ...{ cipher, keyBytes, saltBytes, integrity, integrityKeyBytes },
      ...{ esn: false, ke: undefined, additional: [] },
    });
  });

  test('a responder takes what encrypts nothing only where a test says so', () => {
    const offered = offer(['null-sha256'], 'esp', new Uint8Array(4).fill(1), { unencrypted: true });
    expect(choose(offered, DEFAULT_ESP_PROPOSALS, 'esp')).toBeUndefined();
    expect(() => choose(offered, ['null-sha256'], 'esp')).toThrow(ProposalError);
    expect(choose(offered, ['null-sha256'], 'esp', { unencrypted: true })?.name).toBe('null-sha256');
  });

  test('what is not implemented throws', () => {
    expect(() => ikeSuite([transform(ENCR, 3)])).toThrow('no implementation');
    expect(() => ikeSuite(parseProposal('aes256gcm16-prfsha256-ecp256', 'ike').slice(1))).toThrow('no implementation');
    expect(() => espSuite([transform(ENCR, 12, 128), transform(ESN, 0)])).toThrow('no implementation');
    expect(() => espSuite([transform(ENCR, 20, 128), transform(KE, 1)])).toThrow('no implementation');
  });
});
