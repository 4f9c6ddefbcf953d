// What the engine may say, in every language of the interfaces: an error, a warning, the finding of a check. The engine itself speaks
// English; the interfaces translate by code. A language is a folder here, a file a part; the interface's own words are in
// renderer/i18n and electron/words.ts.
import { de } from './de/index.ts';
import { type English, en } from './en/index.ts';
import { fr } from './fr/index.ts';
import type { Translated } from './message.ts';
import { zh } from './zh/index.ts';

export type { English };
export type Language = 'en' | 'zh' | 'de' | 'fr';

export const LANGUAGES: readonly Language[] = ['en', 'zh', 'de', 'fr'];

/** BCP 47 tag for `lang` and for Intl. */
export const LOCALES: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-Hans', de: 'de', fr: 'fr' };

export const WORDS: Readonly<Record<Language, Translated<English>>> = { en, zh, de, fr };
