// A message in a language, its placeholders filled. Typed by the English table: a missing or misspelt placeholder does
// not compile.
import { type English, type Key, type Language, LOCALES, TABLES } from './languages.ts';
import type { Fill, Message } from './message.ts';

export type Translate = <K extends Key>(key: K, ...fill: Fill<English[K]>) => string;

export function createTranslate(language: Language): Translate {
  const table = TABLES[language];
  const plurals = new Intl.PluralRules(LOCALES[language]);
  const numbers = new Intl.NumberFormat(LOCALES[language]);
  return (key, ...fill) => {
    const values: Readonly<Record<string, string | number>> = fill[0] ?? {};
    return fillIn(pick(table[key], values, plurals), values, numbers);
  };
}

/** Whether `key` is in the tables: for keys made from what the engine says, such as an error's code. */
export function isKey(key: string): key is Key {
  return Object.hasOwn(TABLES.en, key);
}

function pick(message: Message, values: Readonly<Record<string, string | number>>, plurals: Intl.PluralRules): string {
  if (typeof message === 'string') return message;
  const count = values.count;
  return (typeof count === 'number' ? message[plurals.select(count)] : undefined) ?? message.other;
}

/** A placeholder that nothing fills stays as it is: visible, so that it is noticed. */
export function fillIn(
  text: string,
  values: Readonly<Record<string, string | number | boolean | null>>,
  numbers: Intl.NumberFormat,
): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined || value === null) return whole;
    return typeof value === 'number' ? numbers.format(value) : String(value);
  });
}
