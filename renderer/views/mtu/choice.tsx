// Automatic, or a fixed value with its consequences said while it is typed.
import { type ReactNode, useEffect, useState } from 'react';
import type { MtuChoice, MtuView } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/fields.tsx';
import { LockBadge, useLocked } from '../../components/lock.tsx';
import { Card, Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Radios } from '../../components/radio.tsx';
import { useToast } from '../../components/toasts.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useTask } from '../../store/context.tsx';
import { judgeMtu, LEAST_MTU, MOST_MTU } from './verdict.ts';

export interface ChangeProps {
  readonly profile: string;
  readonly view: MtuView;
  readonly onChanged: (view: MtuView) => void;
}

export function ChoiceCard({ profile, view, onChanged }: ChangeProps): ReactNode {
  const { t, f } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const locked = useLocked()(view.lock);
  const task = useTask();
  const [mode, setMode] = useState(view.mode);
  const [typed, setTyped] = useState(String(view.value));
  const judgement = judgeMtu(typed, view, t);

  // What holds now, once it is another: by us, by the path test, or by somebody else.
  useEffect(() => {
    setMode(view.mode);
    setTyped(String(view.value));
  }, [view.mode, view.value]);

  const choose = (choice: MtuChoice): void => {
    if (task.busy) return;
    void task.run(async () => {
      const next = await engine.call('setMtu', { profile, choice });
      onChanged(next);
      toast({ tone: 'ok', text: t('mtu.applied', { mtu: next.value }) });
    });
  };
  const changed = mode !== view.mode || (mode === 'fixed' && judgement.value !== view.value);
  const apply = (): void => {
    if (locked || !changed) return;
    if (mode === 'automatic') choose({ mode });
    else if (judgement.value !== null) choose({ mode, value: judgement.value });
  };

  return (
    <Card title={t('mtu.choice')} actions={<LockBadge lock={view.lock} />}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <Radios
          label={t('mtu.choice')}
          quietLabel
          value={mode}
          disabled={locked}
          options={[
            {
              value: 'automatic',
              name: t('mtu.automatic'),
              detail: t('mtu.automatic.text', { mtu: view.computed }),
            },
            { value: 'fixed', name: t('mtu.fixed'), detail: t('mtu.fixed.text') },
          ]}
          onChange={setMode}
        />
        {mode === 'fixed' ? (
          <TextField
            label={t('mtu.value')}
            value={typed}
            onChange={setTyped}
            disabled={locked}
            hint={t('mtu.value.hint', { least: LEAST_MTU, most: MOST_MTU, computed: view.computed })}
            error={judgement.error}
            warning={judgement.warnings.join(' ') || null}
            maxLength={6}
          />
        ) : null}
        {view.pathSource === 'tested' && view.mode === 'automatic' ? (
          <Notice actions={null}>
            <p>
              {t('mtu.path')}: {f.number(view.path)} ({t('mtu.path.tested')})
            </p>
            <div>
              <Button size="small" disabled={locked} busy={task.busy} onPress={() => choose({ mode: 'automatic' })}>
                {t('mtu.profilePath')}
              </Button>
            </div>
          </Notice>
        ) : null}
        {task.error ? <Problem error={task.error} /> : null}
        <div className="row end">
          <Button
            type="submit"
            kind="primary"
            busy={task.busy}
            disabled={locked || !changed || (mode === 'fixed' && judgement.value === null)}
          >
            {t('mtu.apply')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
