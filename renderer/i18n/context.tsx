// Hands the language to the views, and tells the document, so that screen readers pronounce and browsers hyphenate rightly.
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { I18nProvider as AriaI18nProvider } from 'react-aria-components';
import { createSpeaker, type Speaker } from '../../main/words/say.ts';
import { createFormat, type Format } from './format.ts';
import { directionOf, type Language, LOCALES } from './languages.ts';
import { createTranslate, type Translate } from './translate.ts';

/** `t`: the interface's own words. `say` and `explain`: the engine's. */
export interface I18n extends Speaker {
  readonly language: Language;
  readonly locale: string;
  readonly t: Translate;
  readonly f: Format;
}

export function createI18n(language: Language): I18n {
  const locale = LOCALES[language];
  return { language, locale, t: createTranslate(language), f: createFormat(locale), ...createSpeaker(language) };
}

const Context = createContext<I18n>(createI18n('en'));

export function useI18n(): I18n {
  return useContext(Context);
}

export function I18nProvider({ language, children }: { language: Language; children: ReactNode }): ReactNode {
  const value = useMemo(() => createI18n(language), [language]);
  useEffect(() => {
    document.documentElement.lang = value.locale;
    document.documentElement.dir = directionOf(value.locale);
  }, [value]);
  return (
    <Context value={value}>
      <AriaI18nProvider locale={value.locale}>{children}</AriaI18nProvider>
    </Context>
  );
}
