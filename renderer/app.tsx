// The whole interface around an engine: language, theme, announcements, frame, and the page that the address names.
import { type ReactNode, useEffect } from 'react';
import type { Settings } from '../main/ipc/contract.ts';
import { Announcer } from './components/announcer.tsx';
import { Toasts } from './components/toasts.tsx';
import { I18nProvider } from './i18n/context.tsx';
import type { Pseudo } from './i18n/pseudo.ts';
import { Shell } from './shell/shell.tsx';
import { EngineProvider, useModel } from './store/context.tsx';
import type { Engine } from './store/engine.ts';
import type { Model } from './store/model.ts';
import { languageOf, type Preferences, savePreferences } from './store/preferences.ts';
import { applyTheme } from './theme/theme.ts';

export interface AppProps {
  readonly engine: Engine;
  /** As last known; the engine's settings replace them. */
  readonly preferences: Preferences;
  /** For development: i18n/pseudo.ts. */
  readonly pseudo?: Pseudo | null;
}

export function App({ engine, preferences, pseudo = null }: AppProps): ReactNode {
  return (
    <EngineProvider engine={engine}>
      <Settled preferences={preferences} pseudo={pseudo} />
    </EngineProvider>
  );
}

const settingsOf = (model: Model): Settings | null => model.settings;
const pickedOf = (model: Model): string | null => model.picked;

function Settled({ preferences, pseudo }: { preferences: Preferences; pseudo: Pseudo | null }): ReactNode {
  const settings = useModel(settingsOf);
  const picked = useModel(pickedOf);
  const theme = settings?.theme ?? preferences.theme;
  const language = settings?.language ?? preferences.language;
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => savePreferences(localStorage, { theme, language, picked }), [theme, language, picked]);
  return (
    <I18nProvider language={languageOf(language, navigator.languages)} pseudo={pseudo}>
      <Announcer>
        <Toasts>
          <Shell />
        </Toasts>
      </Announcer>
    </I18nProvider>
  );
}
