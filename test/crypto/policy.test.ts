import { describe, expect, test } from 'vitest';
import { defaultProposals, demandPolicy, weaknesses, weaknessWarnings } from '../../main/crypto/policy.ts';
import { choose, offer, ProposalError, parseProposal } from '../../main/crypto/proposal.ts';
import { isAdditional, TransformType } from '../../main/crypto/transform.ts';
import { textsOf } from '../words/texts.ts';

const NONE = new Uint8Array(0);
const PROTOCOLS = ['ike', 'esp'] as const;
const idsOf = (text: string, protocol: (typeof PROTOCOLS)[number], type: number): readonly number[] =>
  parseProposal(text, protocol)
    .filter((of) => of.type === type)
    .map((of) => of.id);

describe('the default policy', () => {
  test.each(PROTOCOLS)(
    '%s: nothing that RFC 8221 or RFC 8247 advise against, an AEAD first, group 19 before 31',
    (protocol) => {
      for (const text of defaultProposals(protocol, 'default')) {
        expect(weaknesses(text, protocol)).toEqual([]);
        expect(() => demandPolicy(text, protocol, 'default')).not.toThrow();
        const groups = idsOf(text, protocol, TransformType.KE);
        if (groups.length > 0) expect(groups.slice(0, 2)).toEqual([19, 31]);
        for (const group of groups) expect([14, 19, 20, 31]).toContain(group);
      }
      const [first] = defaultProposals(protocol, 'default');
      expect(idsOf(first!, protocol, TransformType.ENCR)).toEqual([20, 20, 28]);
    },
  );

  test('IKE: the first proposal adds ML-KEM-768, and the same follows without', () => {
    const [hybrid, plain, ...others] = defaultProposals('ike', 'default').map((text) => parseProposal(text, 'ike'));
    expect(hybrid!.filter((of) => isAdditional(of.type)).map((of) => [of.type, of.id])).toEqual([[6, 36]]);
    expect(hybrid!.filter((of) => !isAdditional(of.type))).toEqual(plain);
    for (const transforms of others) expect(transforms.some((of) => isAdditional(of.type))).toBe(false);
  });

  test('IKE: two of us agree on the hybrid; a gateway with one old suite gets it', () => {
    const offered = offer(defaultProposals('ike', 'default'), 'ike', NONE);
    expect(choose(offered, defaultProposals('ike', 'default'), 'ike')?.name).toBe(
      'aes256gcm16-prfsha256-ecp256-ke1_mlkem768',
    );
    expect(choose(offered, ['aes128-sha256-modp2048'], 'ike')?.name).toBe('aes128-sha256-modp2048');
  });

  test('ESP: perfect forward secrecy where the gateway has it, none needed', () => {
    const spi = Uint8Array.of(1, 2, 3, 4);
    const offered = offer(defaultProposals('esp', 'default'), 'esp', spi);
    expect(choose(offered, defaultProposals('esp', 'default'), 'esp')?.name).toBe('aes256gcm16-ecp256-esn');
    expect(choose(offered, ['aes128gcm16'], 'esp')?.name).toBe('aes128gcm16');
    // IKE_AUTH has no key exchange: what only differs by it is offered once.
    expect(offer(defaultProposals('esp', 'default'), 'esp', spi, { withoutKe: true })).toHaveLength(2);
  });
});

describe('the legacy policy', () => {
  test.each(PROTOCOLS)('%s: what is weak comes last', (protocol) => {
    const usual = defaultProposals(protocol, 'default');
    const legacy = defaultProposals(protocol, 'legacy');
    expect(legacy.slice(0, usual.length)).toEqual(usual);
    const extra = legacy.slice(usual.length);
    expect(textsOf(extra.flatMap((text) => weaknesses(text, protocol)))).toContain('SHA-1');
    for (const text of extra) expect(() => demandPolicy(text, protocol, 'legacy')).not.toThrow();
  });

  test('meets an old box', () => {
    const offered = offer(defaultProposals('ike', 'legacy'), 'ike', NONE);
    expect(choose(offered, ['aes128-sha1-modp1024'], 'ike')?.name).toBe('aes128-sha1-modp1024');
    const usual = offer(defaultProposals('ike', 'default'), 'ike', NONE);
    expect(choose(usual, ['aes128-sha1-modp1024'], 'ike')).toBeUndefined();
  });
});

test.each([
  ['aes128-sha1-ecp256', 'ike', 'SHA-1'],
  ['aes128gcm16-prfsha1-ecp256', 'ike', 'SHA-1'],
  ['aes128-sha256-modp1024', 'ike', 'MODP-1024 (group 2)'],
  ['aes128-sha256-ecp256-modp1536', 'ike', 'MODP-1536 (group 5)'],
  ['aes128gcm16-prfsha256-ecp256-ke1_modp1024', 'ike', 'MODP-1024'],
  ['aes128-sha1', 'esp', 'SHA-1'],
  ['aes128gcm16-modp1024', 'esp', 'MODP-1024'],
] as const)('%s for %s is refused, and the refusal says how to ask for it', (text, protocol, what) => {
  const refusal = (() => {
    try {
      demandPolicy(text, protocol, 'default');
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(refusal).toBeInstanceOf(ProposalError);
  expect(refusal).toMatchObject({
    message: expect.stringContaining(what),
    remedy: expect.stringContaining('"legacy"'),
  });
  expect(() => demandPolicy(text, protocol, 'legacy')).not.toThrow();
});

test('says what is weak in what was agreed on, and nothing where nothing is', () => {
  expect(weaknessWarnings({ ike: 'aes256gcm16-prfsha256-ecp256-ke1_mlkem768', esp: 'aes256gcm16-esn' })).toEqual([]);
  expect(weaknessWarnings({})).toEqual([]);
  expect(weaknessWarnings({ esp: 'rot13' })).toMatchObject([
    { code: 'tunnel.weakUnknown', data: { protocol: 'ESP', proposal: 'rot13' } },
  ]);
  expect(weaknessWarnings({ ike: 'aes128-sha1-modp1024', esp: 'aes128-sha1' })).toMatchObject([
    { text: expect.stringMatching(/^Weak: the gateway chose IKE aes128-sha1-modp1024\. It uses SHA-1/) },
    { data: { weakness: { code: 'weakness.modp1024' } } },
    { text: expect.stringMatching(/^Weak: the gateway chose ESP aes128-sha1\. It uses SHA-1/) },
  ]);
});
