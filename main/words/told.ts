// What the engine tells people: a code with data, and the English sentence that they make. Whoever shows it translates by the code
// (say.ts) and falls back to the sentence, so that an engine may know more codes than the window before it. English is in one
// place, en/: the command line, the log and the report print `text`.
import { type English, en } from './en/index.ts';
import { type Fill, fillIn, formOf, type Message } from './message.ts';

export type ToldValue = string | number | boolean | null | readonly string[] | Told;

export interface Told {
  /** A key of en/, or of a newer engine's. */
  readonly code: string;
  /** What fills the sentence. A value may be told itself: what is weak, why something failed. */
  readonly data: Readonly<Record<string, ToldValue>>;
  readonly text: string;
}

export type ToldCode = keyof English;

export const isToldCode = (code: string): code is ToldCode => Object.hasOwn(en, code);

const plurals = new Intl.PluralRules('en');
const lists = listFormat('en');
const numbers = numberFormat('en');

/** Placeholders are typed by the English sentence. */
export function tell<K extends ToldCode>(code: K, ...fill: Fill<English[K], ToldValue>): Told {
  const given: Readonly<Record<string, ToldValue>> = fill[0] ?? {};
  const data = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, bounded(value)]));
  return { code, data, text: sentence(en[code], data) };
}

/** Of a list; a gateway may announce thousands of networks. */
const MOST_ITEMS = 20;
/** Characters of one value; a profile may have a key of any length. */
const MOST_CHARACTERS = 300;
/** Characters of a sentence that was made elsewhere. */
const MOST_SENTENCE = 2000;

/** What is too long for a person is cut, and ends in "…", which is the same in every language. */
function bounded(value: ToldValue): ToldValue {
  if (typeof value === 'string') return cut(value, MOST_CHARACTERS);
  if (typeof value !== 'object' || value === null || 'code' in value) return value;
  const items = value.slice(0, MOST_ITEMS).map((item) => cut(item, MOST_CHARACTERS));
  return value.length > MOST_ITEMS ? [...items, '…'] : items;
}

export function cut(text: string, most = MOST_SENTENCE): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Codes of errors that are always said in the same words. */
export type ErrorCode = Extract<ToldCode, `error.${string}.remedy`> extends `error.${infer Code}.remedy` ? Code : never;

/** Both sentences of such an error, in English. Their placeholders are filled from `data`. */
export function errorWords(
  code: ErrorCode,
  data: Readonly<Record<string, ToldValue>> = {},
): { readonly message: string; readonly remedy: string } {
  return { message: sentence(en[`error.${code}`], data), remedy: sentence(en[`error.${code}.remedy`], data) };
}

/** An error of any layer inside another sentence. `code` as it crosses the contract: "ike/no-response". */
export function tellError({ code, message, remedy, data = {} }: ErrorFields): {
  readonly error: Told;
  readonly remedy: Told;
} {
  return {
    error: { code: `error.${code}`, data, text: cut(message) },
    remedy: { code: `error.${code}.remedy`, data, text: cut(remedy) },
  };
}

interface ErrorFields {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly data?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

function sentence(message: Message, data: Readonly<Record<string, ToldValue>>): string {
  return fillIn(formOf(message, data.count, plurals), (name) => valueText(data[name]));
}

function valueText(value: ToldValue | undefined): string | undefined {
  if (typeof value === 'number') return numbers.format(value);
  if (typeof value === 'object' && value !== null) return 'code' in value ? value.text : lists.format(value);
  return value === undefined || value === null ? undefined : String(value);
}

/** "1414", but "12,345": sizes of packets, ports and years are not grouped. */
export function numberFormat(locale: string): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, { useGrouping: 'min2' });
}

export function listFormat(locale: string): Intl.ListFormat {
  return new Intl.ListFormat(locale, { style: 'long', type: 'conjunction' });
}
