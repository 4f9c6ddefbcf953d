// What connecting consists of, and how far it is.
import type { ReactNode } from 'react';
import type { ConnectStep } from '../../../main/ipc/contract.ts';
import { Icon } from '../../components/icon.tsx';
import { useI18n } from '../../i18n/context.tsx';

const STEPS: readonly ConnectStep[] = ['resolve', 'socket', 'sa-init', 'auth', 'tun', 'routes'];

/** `now` null: none has begun. */
export function Steps({ now }: { now: ConnectStep | null }): ReactNode {
  const { t } = useI18n();
  const at = now === null ? -1 : STEPS.indexOf(now);
  return (
    <ol className="steps" aria-label={t('connection.steps')}>
      {STEPS.map((step, i) => {
        const stand = i < at ? 'done' : i === at ? 'now' : 'later';
        return (
          <li key={step} className="step" data-stand={stand} aria-current={stand === 'now' ? 'step' : undefined}>
            <span className="step-mark">
              {stand === 'done' ? <Icon name="ok" /> : stand === 'now' ? <span className="spinner" /> : null}
            </span>
            {t(`connection.step.${step}`)}
            <span className="only-heard">
              {stand === 'done'
                ? t('connection.stepDone')
                : stand === 'now'
                  ? t('connection.stepNow')
                  : t('connection.stepLater')}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
