// The engine waits for a password or a one-time code: a dialog over whatever page is open. What is typed goes to the engine and
// is kept nowhere here; another window or the command line may answer first, and the dialog goes.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Prompt } from '../../main/ipc/contract.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { Problem } from '../components/problem.tsx';
import { useI18n } from '../i18n/context.tsx';
import { useEngine, useModel, useTask } from '../store/context.tsx';
import type { Model } from '../store/model.ts';

export function PromptDialog(): ReactNode {
  const prompt = useModel(openPrompt);
  // Another question is another dialog: nothing typed for one may be left in the next.
  return prompt ? <Question key={prompt.id} prompt={prompt} /> : null;
}

/** What an engine that does not answer asked last is of no use. */
function openPrompt({ link, status }: Model): Prompt | null {
  const engine = link.state === 'open' ? status?.engine : undefined;
  if (engine?.state !== 'connecting' && engine?.state !== 'connected') return null;
  return engine.prompt ?? null;
}

/** As the contract has it. */
const MOST_CHARACTERS = 1024;

function Question({ prompt }: { readonly prompt: Prompt }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const { busy, error, run } = useTask();
  const [typed, setTyped] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const { id, kind, text, username, gateway, refused } = prompt;

  // Whoever is asked types at once; the dialog itself has taken the focus by now.
  useEffect(() => form.current?.querySelector('input')?.focus(), []);

  const answer = (value: string | null): void => {
    void run(() => engine.call('answerPrompt', { id, answer: value }));
  };

  return (
    <Dialog
      title={t(`prompt.${kind}Title`)}
      alert
      onClose={() => answer(null)}
      actions={
        <>
          <Button onPress={() => answer(null)}>{t('app.cancel')}</Button>
          <Button kind="primary" busy={busy} disabled={typed === ''} onPress={() => answer(typed)}>
            {t('prompt.submit')}
          </Button>
        </>
      }
    >
      <p>{username === '' ? t('prompt.whoUnnamed', { gateway }) : t('prompt.who', { gateway, username })}</p>
      {text === '' ? null : <p className="quiet">{t('prompt.says', { text })}</p>}
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== '' && !busy) answer(typed);
        }}
      >
        <TextField
          label={t(`prompt.${kind}`)}
          value={typed}
          onChange={setTyped}
          type={kind === 'password' ? 'password' : 'text'}
          mono={kind === 'code'}
          maxLength={MOST_CHARACTERS}
          error={refused && typed === '' ? t('prompt.refused') : null}
          hint={t(`prompt.${kind}Hint`)}
        />
      </form>
      {error ? <Problem error={error} /> : null}
    </Dialog>
  );
}
