// An error in the person's language where i18n/<language>/errors.ts knows its code, else in the engine's words.
import type { ContractError } from '../../main/ipc/contract.ts';
import { isKey, type Translate } from '../i18n/translate.ts';

export interface Explanation {
  readonly what: string;
  /** Likely cause and what to do. */
  readonly remedy: string;
  /** The engine's own words, English, where they say more than `what`; null: `what` is them, or they add nothing. */
  readonly detail: string | null;
  /** BCP 47 tag of `what` and `remedy` where they are not in the person's language. */
  readonly lang: 'en' | undefined;
}

export function explain(error: ContractError, t: Translate, language: string): Explanation {
  const what = `error.${error.code}`;
  const remedy = `error.${error.code}.remedy`;
  // The engine's words name hosts and values; in English there is nothing better.
  if (language === 'en' || !isKey(what) || !isKey(remedy))
    return { what: error.message, remedy: error.remedy, detail: null, lang: language === 'en' ? undefined : 'en' };
  const translate = t as (key: string) => string;
  return { what: translate(what), remedy: translate(remedy), detail: error.message, lang: undefined };
}
