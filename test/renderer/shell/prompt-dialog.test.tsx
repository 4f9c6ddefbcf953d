// @vitest-environment happy-dom
// The dialog that asks for a password or a code: in each language, over any page, and gone as soon as somebody has answered.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { Prompt } from '../../../main/ipc/contract.ts';
import { LANGUAGES, type Language } from '../../../renderer/i18n/languages.ts';
import { createTranslate } from '../../../renderer/i18n/translate.ts';
import { settle } from '../clock.ts';
import { drawApp } from '../draw.tsx';
import { type Setting, setUp } from '../engine.ts';

const SETTINGS = { en: 'en', zh: 'zh-Hans', de: 'de', fr: 'fr' } as const;
const PASSWORD: Prompt = {
  id: 'p1',
  kind: 'password',
  text: '',
  username: 'alice',
  gateway: 'gw.example',
  refused: false,
};

const ask = async (setting: Setting, prompt?: Prompt): Promise<void> => {
  await act(async () => {
    setting.fake.setState({
      state: 'connecting',
      profile: 'office',
      step: 'auth',
      attempt: 1,
      ...(prompt ? { prompt } : {}),
    });
    await settle();
  });
};

async function draw(language: Language = 'en'): Promise<Setting> {
  const setting = await setUp();
  await setting.engine.call('setSettings', { language: SETTINGS[language] });
  await settle();
  drawApp(setting.engine, 'settings', language);
  return setting;
}

const answers = ({ fake }: Setting) =>
  fake.calls.filter(({ name }) => name === 'answerPrompt').map(({ params }) => params);
const dialog = () => within(screen.getByRole('alertdialog'));

describe.each(LANGUAGES)('in %s', (language) => {
  const t = createTranslate(language);

  it('asks for the password, hides what is typed, and hands it over once', async () => {
    const setting = await draw(language);
    expect(screen.queryByRole('alertdialog')).toBeNull();
    await ask(setting, PASSWORD);
    expect(dialog().getByRole('heading').textContent).toBe(t('prompt.passwordTitle'));
    expect(screen.getByRole('alertdialog').textContent).toContain(
      t('prompt.who', { gateway: 'gw.example', username: 'alice' }),
    );
    const field = dialog().getByLabelText(t('prompt.password'));
    expect(field.getAttribute('type')).toBe('password');
    expect(document.activeElement === field).toBe(true);
    const user = userEvent.setup();
    await user.type(field, 'correct horse{Enter}');
    await act(settle);
    expect(answers(setting)).toEqual([{ id: 'p1', answer: 'correct horse' }]);
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(document.body.innerHTML).not.toContain('correct horse');
  });
});

describe('the dialog', () => {
  it('shows the gateway’s words, and says that the last answer was refused', async () => {
    const setting = await draw();
    await ask(setting, { ...PASSWORD, kind: 'code', text: 'Enter <b>PIN</b>', refused: true });
    const text = screen.getByRole('alertdialog').textContent;
    expect(text).toContain('It says: “Enter <b>PIN</b>”');
    expect(text).toContain('refused the last entry');
    expect(dialog().getByLabelText('One-time code').getAttribute('type')).toBe('text');
  });

  it.each(['button', 'Escape'])('is cancelled by %s', async (how) => {
    const setting = await draw();
    await ask(setting, PASSWORD);
    const user = userEvent.setup();
    if (how === 'button') await user.click(dialog().getByRole('button', { name: 'Cancel' }));
    else await user.keyboard('{Escape}');
    await act(settle);
    expect(answers(setting)).toEqual([{ id: 'p1', answer: null }]);
  });

  it('sends nothing empty', async () => {
    const setting = await draw();
    await ask(setting, PASSWORD);
    const user = userEvent.setup();
    await user.type(dialog().getByLabelText('Password'), '{Enter}');
    expect(answers(setting)).toEqual([]);
    expect((dialog().getByRole('button', { name: 'Continue' }) as HTMLButtonElement).disabled).toBe(true);
  });

  it('goes when somebody else has answered, and the next question begins empty', async () => {
    const setting = await draw();
    await ask(setting, PASSWORD);
    const user = userEvent.setup();
    await user.type(dialog().getByLabelText('Password'), 'half');
    await ask(setting, { ...PASSWORD, id: 'p2' });
    expect((dialog().getByLabelText('Password') as HTMLInputElement).value).toBe('');
    await ask(setting);
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(answers(setting)).toEqual([]);
  });

  it('goes with the engine', async () => {
    const setting = await draw();
    await ask(setting, PASSWORD);
    await act(() => setting.kill());
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });
});
