// Everything that the engine can tell is told in every language, with all that it was given; what is not known falls back to English.
import { describe, expect, it } from 'vitest';
import { type ContractError, matches, Told as ToldShape } from '../../main/ipc/contract.ts';
import { LANGUAGES, type Language, WORDS } from '../../main/words/languages.ts';
import type { Message } from '../../main/words/message.ts';
import { createSpeaker } from '../../main/words/say.ts';
import { errorWords, type Told, tell, tellError } from '../../main/words/told.ts';

const english: Readonly<Record<string, Message>> = WORDS.en;
const OTHERS = LANGUAGES.filter((language) => language !== 'en');

const textsIn = (message: Message): readonly string[] =>
  typeof message === 'string' ? [message] : Object.values(message);
/** A value for each placeholder of the English sentence, recognisable in any language. */
const filled = (message: Message): Readonly<Record<string, string>> =>
  Object.fromEntries(
    textsIn(message).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, `<${name}>`])),
  );

describe.each(OTHERS)('%s', (language) => {
  const { say } = createSpeaker(language);

  it.each(Object.keys(english))('%s', (code) => {
    const data = filled(english[code] ?? '');
    const said = say({ code, data, text: 'the engine’s sentence' });
    expect(said.lang).toBeUndefined();
    expect(said.text).not.toMatch(/[{}]/);
    for (const value of Object.values(data)) expect(said.text).toContain(value);
    expect(said.text).not.toBe('the engine’s sentence');
  });
});

const in_ = (language: Language, told: Told): string => createSpeaker(language).say(told).text;

describe('a sentence', () => {
  it('is English in one place, whoever prints it', () => {
    const told = tell('tunnel.ipv6Off', { mtu: 1200 });
    expect(told.text).toBe(WORDS.en['tunnel.ipv6Off'].replace('{mtu}', '1200'));
    expect(in_('en', told)).toBe(told.text);
    expect(errorWords('routes/too-many', { most: 60 })).toEqual({
      message: 'The list is full: 60 networks.',
      remedy: 'Combine some of them.',
    });
  });

  it('has its numbers and lists written as the language does', () => {
    const told = tell('tunnel.noFamily', { prefixes: ['10.0.0.0/8', '10.1.0.0/16', '::/0'] });
    expect(told.text).toContain('10.0.0.0/8, 10.1.0.0/16, and ::/0');
    expect(in_('de', told)).toContain('10.0.0.0/8, 10.1.0.0/16 und ::/0');
    expect(in_('zh', told)).toContain('10.0.0.0/8、10.1.0.0/16和::/0');
    const many = tell('check.traffic.good', { received: 1_234_567, sent: 1414 });
    expect(many.text).toContain('1,234,567; sent: 1414');
    expect(in_('de', many)).toContain('1.234.567, gesendete: 1414');
    expect(in_('fr', many).replace(/\s/g, ' ')).toContain('1 234 567');
  });

  it('holds others, each in the same language', () => {
    const told = tell('tunnel.weak', { protocol: 'IKE', proposal: 'aes128-sha1', weakness: tell('weakness.sha1') });
    expect(told.text).toContain('It uses SHA-1, which is kept for old gateways only.');
    expect(in_('de', told)).toContain('SHA-1, das es nur noch für alte Gateways gibt.');
    const error = { code: 'net/unreachable', message: 'ENETUNREACH on eth0', remedy: 'Plug it in.' };
    const ended = tell('check.connection.ended', { error: tellError(error).error });
    expect(ended.text).toContain('ENETUNREACH on eth0');
    expect(in_('fr', ended)).toContain('Le réseau n’atteint pas la passerelle.');
  });

  it('of a newer engine is shown in its own English, marked so', () => {
    const newer: Told = { code: 'tunnel.tomorrow', data: { x: 1 }, text: 'Something new.' };
    expect(createSpeaker('de').say(newer)).toEqual({ text: 'Something new.', lang: 'en' });
    // Also where a newer engine fills another sentence of this name, and for names that every object has.
    const other: Told = { code: 'tunnel.ipv6Off', data: { least: 1280 }, text: 'IPv6 is off.' };
    expect(createSpeaker('de').say(other)).toEqual({ text: 'IPv6 is off.', lang: 'en' });
    for (const code of ['constructor', '__proto__', 'toString'])
      expect(createSpeaker('zh').say({ code, data: {}, text: 'No.' }).lang).toBe('en');
  });

  it('is not filled from what was filled in', () => {
    const told = tell('profile.repeats', { place: '{prefix}', prefix: '10.0.0.0/8' });
    expect(told.text).toBe('{prefix} repeats 10.0.0.0/8.');
    expect(in_('de', told)).toBe('{prefix} wiederholt 10.0.0.0/8.');
  });
});

describe('an error', () => {
  const error: ContractError = {
    code: 'daemon/busy',
    message: 'The profile “home” is in use already.',
    remedy: 'Disconnect first.',
    data: { profile: 'home' },
  };

  it('is told with its data', () => {
    expect(createSpeaker('de').explain(error)).toEqual({
      what: 'Das Profil „home“ ist schon in Gebrauch.',
      remedy: 'Trennen Sie zuerst die Verbindung.',
      detail: error.message,
      lang: undefined,
    });
  });

  it('without the data that its sentence needs is told by the engine', () => {
    const { data: _, ...bare } = error;
    expect(createSpeaker('de').explain(bare)).toMatchObject({ what: error.message, lang: 'en', detail: null });
  });
});

describe('what crosses the contract', () => {
  const nested = (depth: number): Told =>
    depth === 0 ? { code: 'x', data: {}, text: '' } : { code: 'x', data: { inner: nested(depth - 1) }, text: '' };

  it('is bounded in depth and length', () => {
    expect(matches(ToldShape, nested(3))).toBe(true);
    expect(matches(ToldShape, nested(4))).toBe(false);
    expect(matches(ToldShape, { code: 'x'.repeat(101), data: {}, text: '' })).toBe(false);
    expect(matches(ToldShape, { code: 'x', data: { a: ['b', 1] }, text: '' })).toBe(false);
    expect(matches(ToldShape, { code: 'x', data: {}, text: 'x'.repeat(10_001) })).toBe(false);
  });

  it('is cut where a peer or a file makes it long', () => {
    const told = tell('tunnel.noFamily', { prefixes: Array.from({ length: 5000 }, (_, i) => `10.${i}.0.0/16`) });
    expect(told.text.length).toBeLessThan(500);
    expect(told.text).toMatch(/10\.19\.0\.0\/16, and …\.$/);
    const key = tell('mistake.unknown-key', { place: `/${'x'.repeat(100_000)}`, hint: '' });
    expect(key.text).toMatch(/^\/x{298}…: this key does not exist\./);
    const failed = tellError({ code: 'x/y', message: 'm'.repeat(100_000), remedy: 'r'.repeat(100_000) });
    expect([told, key, failed.error, failed.remedy].every((one) => matches(ToldShape, one))).toBe(true);
  });

  it('fits, for each sentence that there is', () => {
    for (const [code, message] of Object.entries(english))
      expect(matches(ToldShape, { code, data: filled(message), text: textsIn(message).join() }), code).toBe(true);
  });
});
