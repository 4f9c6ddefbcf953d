// Importing: a file, an address or a text is checked by the engine and shown before anything is stored.
//
//   choosing ──file, address or text──▶ checking ──▶ checked ──store──▶ stored
//       ▲                                  └──problem──▶ choosing, with what is wrong
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import type { Params, Result } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Spoken } from '../../components/spoken.tsx';
import { useToast } from '../../components/toasts.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { goTo } from '../../router.ts';
import { useEngine, useTask } from '../../store/context.tsx';
import { ImportSource } from './import-source.tsx';
import { ProfileFacts } from './summary.tsx';

export type Source =
  | { readonly kind: 'text'; readonly name: string; readonly text: Params<'import'>['text'] }
  | { readonly kind: 'url'; readonly url: Params<'importUrl'>['url'] };

/** Bytes. The contract takes a little more, for JSON's escapes. */
const MOST_BYTES = 256 * 1024;

interface Checked {
  readonly source: Source;
  readonly preview: Result<'preview'>;
}

/** `file`: dropped on the window, checked at once. */
export function ImportDialog({ file, onClose }: { file?: File; onClose: () => void }): ReactNode {
  const { t, f } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const { busy, error, run, clear } = useTask();
  const [checked, setChecked] = useState<Checked | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [checking, setChecking] = useState('');

  const check = useCallback(
    (source: Source) => {
      setRefusal(null);
      setChecking(source.kind === 'url' ? source.url : source.name);
      void run(async () => {
        const preview =
          source.kind === 'url'
            ? await engine.call('previewUrl', { url: source.url })
            : await engine.call('preview', { text: source.text });
        setChecked({ source, preview });
      });
    },
    [engine, run],
  );

  const checkFile = useCallback(
    (chosen: File) => {
      clear();
      if (chosen.size > MOST_BYTES) {
        setRefusal(
          t('profiles.tooLarge', { name: chosen.name, size: f.bytes(chosen.size), most: f.bytes(MOST_BYTES) }),
        );
        return;
      }
      chosen.text().then(
        (text) => check({ kind: 'text', name: chosen.name, text }),
        () => setRefusal(t('profiles.unreadable', { name: chosen.name })),
      );
    },
    [check, clear, t, f],
  );

  const dropped = useRef<File | null>(null);
  useEffect(() => {
    if (!file || dropped.current === file) return;
    dropped.current = file;
    checkFile(file);
  }, [file, checkFile]);

  const store = async ({ source, preview }: Checked): Promise<void> => {
    const replace = preview.exists;
    const done = await run(() =>
      source.kind === 'url'
        ? // What is stored is what was shown, whatever the address has by now.
          engine.call('importUrl', { url: source.url, replace, ...(preview.digest ? { digest: preview.digest } : {}) })
        : engine.call('import', { text: source.text, replace }),
    );
    if (!done) return;
    engine.pick(preview.profile.name);
    toast({ tone: 'ok', text: t('profiles.imported', { name: preview.profile.name }) });
    onClose();
    goTo('profiles');
  };

  const again = (): void => {
    clear();
    setChecked(null);
  };

  return (
    <Dialog
      title={t('profiles.importTitle')}
      onClose={onClose}
      wide
      actions={
        checked ? (
          <>
            <Button onPress={onClose}>{t('app.cancel')}</Button>
            <Button onPress={again}>{t('profiles.another')}</Button>
            <Button kind="primary" busy={busy} onPress={() => void store(checked)}>
              {checked.preview.exists ? t('profiles.replace') : t('profiles.store')}
            </Button>
          </>
        ) : (
          <Button onPress={onClose}>{t('app.cancel')}</Button>
        )
      }
    >
      {checked ? <Preview {...checked.preview} /> : <ImportSource busy={busy} onFile={checkFile} onSource={check} />}
      <div role="status">
        {busy && !checked ? (
          <p className="row quiet">
            <span className="spinner" />
            {t('profiles.checking', { name: checking })}
          </p>
        ) : null}
      </div>
      <div role="alert">
        {refusal ? <Notice tone="bad">{refusal}</Notice> : null}
        {error ? <Problem error={error} /> : null}
      </div>
    </Dialog>
  );
}

function Preview({ profile, warnings, exists }: Result<'preview'>): ReactNode {
  const { t } = useI18n();
  return (
    <>
      <div className="stack tight" role="status">
        <h3 className="profile-name break">{profile.name}</h3>
        {exists ? (
          <Notice tone="warn">{t('profiles.exists', { name: profile.name })}</Notice>
        ) : (
          <Notice tone="ok">{t('profiles.good')}</Notice>
        )}
      </div>
      {warnings.length ? (
        <Notice tone="warn">
          <h3>{t('profiles.warnings')}</h3>
          <ul className="stack tight">
            {warnings.map((warning) => (
              <li key={warning.text} className="break">
                <Spoken told={warning} />
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
      <ProfileFacts profile={profile} />
    </>
  );
}
