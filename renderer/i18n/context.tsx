// Hands the language to the views, and tells the document, so that screen readers pronounce and browsers hyphenate rightly.
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { I18nProvider as AriaI18nProvider } from 'react-aria-components';
import { createSpeaker, type Speaker } from '../../main/words/say.ts';
import { createFormat, type Format } from './format.ts';
import { directionOf, type Language, LOCALES } from './languages.ts';
import { isolated, mirrored, PSEUDO_LOCALE, type Pseudo } from './pseudo.ts';
import { createTranslate, type Translate } from './translate.ts';

/** `t`: the interface's own words. `say` and `explain`: the engine's. */
export interface I18n extends Speaker {
  readonly language: Language;
  readonly locale: string;
  readonly direction: 'ltr' | 'rtl';
  readonly t: Translate;
  readonly f: Format;
}

export function createI18n(language: Language, pseudo: Pseudo | null = null): I18n {
  const locale = LOCALES[language];
  const direction = pseudo ?? directionOf(locale);
  const plain = createTranslate(language, direction === 'rtl' ? isolated : undefined);
  return {
    language,
    locale,
    direction,
    t: pseudo ? (key, ...fill) => mirrored(plain(key, ...fill)) : plain,
    f: createFormat(locale, direction === 'rtl' ? isolated : undefined),
    ...createSpeaker(language),
  };
}

const Context = createContext<I18n>(createI18n('en'));

export function useI18n(): I18n {
  return useContext(Context);
}

export interface I18nProviderProps {
  readonly language: Language;
  /** For development: see pseudo.ts. */
  readonly pseudo?: Pseudo | null;
  readonly children: ReactNode;
}

export function I18nProvider({ language, pseudo = null, children }: I18nProviderProps): ReactNode {
  const value = useMemo(() => createI18n(language, pseudo), [language, pseudo]);
  useEffect(() => {
    document.documentElement.lang = value.locale;
    document.documentElement.dir = value.direction;
  }, [value]);
  return (
    <Context value={value}>
      <AriaI18nProvider locale={pseudo ? PSEUDO_LOCALE : value.locale}>{children}</AriaI18nProvider>
    </Context>
  );
}
