// The languages, and which of them a person's browser asks for.
import { LANGUAGES, type Language, LOCALES } from '../../main/words/languages.ts';
import type { Translated } from '../../main/words/message.ts';
import { de } from './de/index.ts';
import { type English, en } from './en/index.ts';
import { fr } from './fr/index.ts';
import { zh } from './zh/index.ts';

export type { English, Language };
export { LANGUAGES, LOCALES };
export type Key = keyof English;

/** Each language in itself: the one text that is never translated. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  zh: '简体中文',
  de: 'Deutsch',
  fr: 'Français',
};

export const TABLES: Readonly<Record<Language, Translated<English>>> = { en, zh, de, fr };

/** Scripts written from the right, for the day one of them is added to LANGUAGES. */
const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr';
}

/** The first of the person's languages that we have, else English. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    const found = LANGUAGES.find((language) => language === base);
    if (found) return found;
  }
  return 'en';
}
