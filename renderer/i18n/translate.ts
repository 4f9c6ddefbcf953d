// A message in a language, its placeholders filled. Typed by the English table: a missing or misspelt placeholder does
// not compile.
import { type Fill, fillIn, formOf } from '../../main/words/message.ts';
import { numberFormat } from '../../main/words/told.ts';
import { type English, type Key, type Language, LOCALES, TABLES } from './languages.ts';

export type Translate = <K extends Key>(key: K, ...fill: Fill<English[K]>) => string;

/** `isolate`: what is done to a text from elsewhere (an address, a name) before it stands in a message. */
export function createTranslate(language: Language, isolate = (value: string): string => value): Translate {
  const table = TABLES[language];
  const plurals = new Intl.PluralRules(LOCALES[language]);
  const numbers = numberFormat(LOCALES[language]);
  return (key, ...fill) => {
    const values: Readonly<Record<string, string | number>> = fill[0] ?? {};
    return fillIn(formOf(table[key], values.count, plurals), (name) => {
      const value = values[name];
      if (typeof value === 'string') return isolate(value);
      return value === undefined ? undefined : numbers.format(value);
    });
  };
}

/** Whether `key` is in the tables: for keys made from what the engine says, such as a profile's way of authentication. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(TABLES.en, key);
}
