// Draws the whole interface, or a part, around an engine, in a language.
import { cleanup, type RenderResult, render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach } from 'vitest';
import { App } from '../../renderer/app.tsx';
import type { Language } from '../../renderer/i18n/languages.ts';
import { LOCALES } from '../../renderer/i18n/languages.ts';
import type { PageName } from '../../renderer/router.ts';
import type { Engine } from '../../renderer/store/engine.ts';

afterEach(() => {
  cleanup();
  localStorage.clear();
  location.hash = '';
});

export function drawApp(engine: Engine, page: PageName, language: Language = 'en'): RenderResult {
  location.hash = `#/${page}`;
  return render(app(engine, language));
}

export function app(engine: Engine, language: Language = 'en'): ReactNode {
  const setting = LOCALES[language];
  return (
    <App
      engine={engine}
      preferences={{ theme: 'system', language: setting as 'en' | 'zh-Hans' | 'de' | 'fr', picked: null }}
    />
  );
}
