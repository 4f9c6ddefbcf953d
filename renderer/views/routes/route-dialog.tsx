// A new route, or another form of one: the engine judges what is typed while it is typed, and says how it would store it.
import { type ReactNode, useEffect, useId, useState } from 'react';
import type { FieldProblem, Result, RouteEntry, RouteKind, RoutesView } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/fields.tsx';
import { Problem } from '../../components/problem.tsx';
import { Radios } from '../../components/radio.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useTask } from '../../store/context.tsx';

export interface RouteDialogProps {
  readonly profile: string;
  readonly kind: RouteKind;
  /** The route that is changed; null: a new one. */
  readonly editing: RouteEntry | null;
  readonly view: RoutesView;
  readonly onClose: () => void;
  readonly onDone: (view: RoutesView, text: string) => void;
}

/** Pause in typing after which the engine is asked, in milliseconds. */
export const TYPING_PAUSE = 200;

type Judgement = Result<'checkRoute'> & { readonly of: string };

export function RouteDialog({ profile, kind: first, editing, onClose, onDone }: RouteDialogProps): ReactNode {
  const { t, explain } = useI18n();
  const engine = useEngine();
  const form = useId();
  const [typed, setTyped] = useState(editing?.prefix ?? '');
  const [kind, setKind] = useState(first);
  const [judgement, setJudgement] = useState<Judgement | null>(null);
  const save = useTask();
  const prefix = typed.trim();
  const asked = `${kind} ${prefix}`;

  useEffect(() => {
    if (!prefix) return;
    let stale = false;
    const before = editing ? { editing: { prefix: editing.prefix, kind: editing.kind } } : {};
    const timer = setTimeout(() => {
      engine.call('checkRoute', { profile, prefix: prefix.slice(0, 100), kind, ...before }).then(
        (result) => stale || setJudgement({ ...result, of: asked }),
        // Saving says what is wrong then.
        () => {},
      );
    }, TYPING_PAUSE);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [engine, profile, prefix, kind, editing, asked]);

  const current = judgement?.of === asked && prefix ? judgement : null;
  const say = (severity: FieldProblem['severity']): string | null => {
    const problems = current?.problems.filter((problem) => problem.severity === severity) ?? [];
    return problems.length ? problems.map((problem) => sentence(explain(problem))).join(' ') : null;
  };
  const error = say('error');
  const stored = current?.prefix ?? null;
  const hint = stored !== null && stored !== prefix ? t('routes.stored', { prefix: stored }) : t('routes.prefix.hint');

  /** What was probably meant: host bits are a slip that the engine can put right. */
  const meant = current?.problems.map(({ data }) => data?.meant).find((one) => typeof one === 'string');

  const submit = (): void => {
    if (!prefix || error || save.busy) return;
    void save.run(async () => {
      const to = { prefix, kind };
      const view = editing
        ? await engine.call('editRoute', { profile, from: { prefix: editing.prefix, kind: editing.kind }, to })
        : await engine.call('addRoute', { profile, ...to });
      const name = { prefix: stored ?? prefix };
      onDone(view, editing ? t('routes.changed', name) : t('routes.added', name));
    });
  };

  return (
    <Dialog
      title={t(editing ? 'routes.editTitle' : 'routes.addTitle')}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('app.cancel')}</Button>
          <Button kind="primary" busy={save.busy} disabled={!prefix || error !== null} onPress={submit}>
            {editing ? t('app.save') : t('routes.add')}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <TextField
          label={t('routes.prefix')}
          value={typed}
          onChange={(value) => {
            setTyped(value);
            save.clear();
          }}
          hint={hint}
          error={error}
          warning={say('warning')}
          mono
          autoFocus
          maxLength={100}
        />
        {say('warning') && stored !== null && stored !== prefix ? (
          <p className="small quiet">{t('routes.stored', { prefix: stored })}</p>
        ) : null}
        {meant ? (
          <div>
            <Button size="small" onPress={() => setTyped(meant)}>
              {t('routes.use', { prefix: meant })}
            </Button>
          </div>
        ) : null}
        <Radios
          label={t('routes.kind')}
          value={kind}
          options={[
            { value: 'include', name: t('routes.include') },
            { value: 'exclude', name: t('routes.exclude') },
          ]}
          onChange={setKind}
        />
        {save.error ? <Problem error={save.error} /> : null}
      </form>
    </Dialog>
  );
}

const sentence = ({ what, remedy }: { readonly what: string; readonly remedy: string }): string =>
  `${what} ${remedy}`.trim();
