// Every language says everything: same keys, same placeholders, every plural form that it needs, nothing left in English.
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../main/words/message.ts';
import { LANGUAGES, LOCALES, TABLES } from '../../../renderer/i18n/languages.ts';

const tables: Readonly<Record<string, Readonly<Record<string, Message>>>> = TABLES;
const english = tables.en ?? {};
const forms = (message: Message): readonly string[] =>
  typeof message === 'string' ? [message] : Object.values(message);
const placeholders = (text: string): readonly string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort();

/** Names, units and abbreviations that are the same in every language, and words that two languages share. */
const SAME =
  /^[\p{P}\p{S}\s\d]*((MTU|MSS|IKE|ESP|GRE|IPv[46]|UDP|NAT|DNS|URL|CSV|PNG|TCP|IV|ICV|IP|JSON|Culvert|ML-KEM|\{\w+\})[\p{P}\p{S}\s\d]*)*$/u;
const SHARED: Readonly<Record<string, readonly string[]>> = {
  de: ['connection.encapsulation.udp'],
  fr: [],
  zh: [],
};

describe.each(LANGUAGES.filter((language) => language !== 'en'))('%s', (language) => {
  const table = tables[language] ?? {};

  it('has the keys of English and no other', () => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(english).sort());
  });

  it.each(Object.keys(english))('%s has the placeholders of English', (key) => {
    const wanted = placeholders(forms(english[key] ?? '').at(-1) ?? '');
    for (const form of forms(table[key] ?? '')) {
      expect(form.trim()).not.toBe('');
      // A form for one thing may leave the number out.
      const found = placeholders(form);
      if (typeof table[key] === 'string') expect(found).toEqual(wanted);
      else expect([found, [...found, 'count'].sort()]).toContainEqual(wanted);
    }
  });

  it('has every plural form that its grammar tells apart', () => {
    const needed = new Intl.PluralRules(LOCALES[language]).resolvedOptions().pluralCategories;
    for (const [key, message] of Object.entries(table)) {
      // "many" of French is for millions written out, where `other` reads the same with digits.
      if (typeof message !== 'string')
        expect(Object.keys(message), key).toEqual(expect.arrayContaining(needed.filter((form) => form !== 'many')));
    }
  });

  it('leaves nothing in English', () => {
    const left = Object.keys(english).filter(
      (key) =>
        typeof english[key] === 'string' &&
        english[key] === table[key] &&
        !SAME.test(english[key]) &&
        !shared(language, key, english[key]),
    );
    expect(left).toEqual([]);
  });
});

/** A single word may be the same in a sister language; a sentence may not. */
function shared(language: string, key: string, text: string): boolean {
  return (
    SHARED[language]?.includes(key) || (language !== 'zh' && !/\s/.test(text.replace(/\{\w+\}|[–:·]/g, '').trim()))
  );
}
