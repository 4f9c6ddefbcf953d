// What the engine told, in the person's language: by its code where this language's table has it with all that it needs, else in the
// engine's own English.
import { type Language, LOCALES, WORDS } from './languages.ts';
import { fillIn, formOf, type Message } from './message.ts';
import { listFormat, numberFormat, type Told, type ToldValue } from './told.ts';

export interface Said {
  readonly text: string;
  /** BCP 47 tag where it is not in the person's language. */
  readonly lang: 'en' | undefined;
}

/** An error, or what is wrong with a field of a form, as it crosses the contract. */
export interface ErrorWords {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

export interface Explanation {
  readonly what: string;
  /** Likely cause and what to do. */
  readonly remedy: string;
  /** The engine's own words, English, where they may say more than `what`; null: `what` is them. */
  readonly detail: string | null;
  /** BCP 47 tag of `what` and `remedy` where they are not in the person's language. */
  readonly lang: 'en' | undefined;
}

export interface Speaker {
  say(told: Told): Said;
  explain(error: ErrorWords): Explanation;
}

const ENGLISH: Speaker = {
  say: ({ text }) => ({ text, lang: undefined }),
  explain: ({ message, remedy }) => ({ what: message, remedy, detail: null, lang: undefined }),
};

export function createSpeaker(language: Language): Speaker {
  if (language === 'en') return ENGLISH;
  const table: Readonly<Record<string, Message>> = WORDS[language];
  const locale = LOCALES[language];
  const plurals = new Intl.PluralRules(locale);
  const numbers = numberFormat(locale);
  const lists = listFormat(locale);

  const valueText = (value: ToldValue | undefined): string | undefined => {
    if (typeof value === 'number') return numbers.format(value);
    if (typeof value === 'object' && value !== null) return 'code' in value ? say(value).text : lists.format(value);
    return value === undefined || value === null ? undefined : String(value);
  };

  /** undefined: not known here, or something that it needs was not told. */
  const translated = (code: string, data: Readonly<Record<string, ToldValue>>): string | undefined => {
    const message = Object.hasOwn(table, code) ? table[code] : undefined;
    if (message === undefined) return undefined;
    let whole = true;
    const text = fillIn(formOf(message, data.count, plurals), (name) => {
      const value = valueText(Object.hasOwn(data, name) ? data[name] : undefined);
      if (value === undefined) whole = false;
      return value;
    });
    return whole ? text : undefined;
  };

  const say = ({ code, data, text }: Told): Said => {
    const found = translated(code, data);
    return found === undefined ? { text, lang: 'en' } : { text: found, lang: undefined };
  };

  return {
    say,
    explain({ code, message, remedy, data = {} }) {
      const what = translated(`error.${code}`, data);
      const advice = translated(`error.${code}.remedy`, data);
      return what === undefined || advice === undefined
        ? { what: message, remedy, detail: null, lang: 'en' }
        : { what, remedy: advice, detail: message, lang: undefined };
    },
  };
}
