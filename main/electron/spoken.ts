// The engine's own sentences in the person's language, for tray, notifications and dialogs: errors in a state are replaced by what
// main/words says of them, so that whoever shows a state needs no table.
import type { ContractError, EngineState } from '../ipc/contract.ts';
import type { Language } from '../words/languages.ts';
import type { Speaker } from '../words/say.ts';

/** `language`: of the settings. `locale`: the operating system's, BCP 47, where the person chose none. */
export function spokenLanguage(language: string, locale: string): Language {
  const tag = (language === 'system' ? locale : language).toLowerCase();
  if (tag.startsWith('de')) return 'de';
  if (tag.startsWith('fr')) return 'fr';
  return tag.startsWith('zh') ? 'zh' : 'en';
}

export function spokenError(error: ContractError, { explain }: Speaker): ContractError {
  const { what, remedy } = explain(error);
  return { ...error, message: what, remedy };
}

export function spokenState(state: EngineState, speaker: Speaker): EngineState {
  switch (state.state) {
    case 'disconnected':
      return { ...state, lastError: state.lastError && spokenError(state.lastError, speaker) };
    case 'reconnecting':
      return { ...state, because: spokenError(state.because, speaker) };
    case 'failed':
      return { ...state, error: spokenError(state.error, speaker) };
    case 'connecting':
    case 'connected':
    case 'disconnecting':
      return state;
  }
}
