// Theme, language and the picked profile, as last known, kept in the page's storage: they are wanted before the engine
// answers. The engine's settings are the truth and are taken over when they come.
import type { Settings } from '../../main/ipc/contract.ts';
import { type Language, LOCALES, preferredLanguage } from '../i18n/languages.ts';

export type Theme = Settings['theme'];

const KEY = 'culvert.preferences';

export interface Preferences {
  readonly theme: Theme;
  readonly language: Settings['language'];
  readonly picked: string | null;
}

const DEFAULT: Preferences = { theme: 'system', language: 'system', picked: null };

export function loadPreferences(storage: Pick<Storage, 'getItem'>): Preferences {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? '{}');
    if (typeof value !== 'object' || value === null) return DEFAULT;
    const { theme, language, picked } = value as Readonly<Record<string, unknown>>;
    return {
      theme: theme === 'light' || theme === 'dark' ? theme : 'system',
      language: Object.values(LOCALES).includes(String(language)) ? (language as Preferences['language']) : 'system',
      picked: typeof picked === 'string' ? picked : null,
    };
  } catch {
    return DEFAULT;
  }
}

export function savePreferences(storage: Pick<Storage, 'setItem'>, preferences: Preferences): void {
  try {
    storage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A browser that forbids storage: the engine's settings come a moment later.
  }
}

/** The language to show, by the setting or else by what the browser asks for. */
export function languageOf(setting: Settings['language'], wanted: readonly string[]): Language {
  return preferredLanguage(setting === 'system' ? wanted : [setting]);
}
