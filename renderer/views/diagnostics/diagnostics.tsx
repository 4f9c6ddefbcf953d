// What is wrong and what to do about it: checks with cause and remedy, packets that were dropped and why, the log, and a
// report for whoever helps.
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import type { Check, Result } from '../../../main/ipc/contract.ts';
import { useAnnounce } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { Icon, type IconName } from '../../components/icon.tsx';
import { Badge, Card, Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Spoken } from '../../components/spoken.tsx';
import type { Tone } from '../../components/tone.ts';
import { useI18n } from '../../i18n/context.tsx';
import type { Translate } from '../../i18n/translate.ts';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import { currentProfile, type Model } from '../../store/model.ts';
import { Away } from '../profile-scope.tsx';
import { LogCard } from './log-card.tsx';
import { ReportCard } from './report.tsx';
import '../../theme/sheet.css';
import './diagnostics.css';

const openOf = (model: Model): boolean => model.link.state === 'open' && model.status !== null;
const stateOf = (model: Model): string | undefined => model.status?.engine.state;

export function DiagnosticsPage(): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const announce = useAnnounce();
  const profile = useModel(currentProfile);
  const open = useModel(openOf);
  const state = useModel(stateOf);
  const task = useTask();
  const { run } = task;
  const [found, setFound] = useState<Result<'checks'> | null>(null);

  const look = useCallback(
    () => run(async () => setFound(await engine.call('checks', profile === null ? {} : { profile }))),
    [run, engine, profile],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another state, other findings
  useEffect(() => {
    if (open) void look();
  }, [open, state, look]);

  const again = async (): Promise<void> => {
    if (await look()) announce(t('diagnostics.checks'));
  };

  return (
    <Page title={t('diagnostics.title')}>
      <Away />
      <Card
        title={t('diagnostics.checks')}
        actions={
          <Button size="small" icon="refresh" busy={task.busy} onPress={() => void again()}>
            {t('diagnostics.run')}
          </Button>
        }
      >
        {task.error ? <Problem error={task.error} /> : null}
        {found ? <Checks checks={found.checks} /> : task.error ? null : <p>{t('diagnostics.running')}</p>}
        {found?.lastError ? (
          <div className="stack tight">
            <h3>{t('diagnostics.lastError')}</h3>
            <Problem error={found.lastError} />
          </div>
        ) : null}
      </Card>
      <Card title={t('drops.title')}>
        <p className="quiet">{t('drops.text')}</p>
        {found?.drops.length ? (
          <table className="sheet">
            <caption className="only-heard">{t('drops.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('drops.reason')}</th>
                <th scope="col" className="number">
                  {t('drops.packets')}
                </th>
              </tr>
            </thead>
            <tbody>
              {found.drops.map((drop) => (
                <DropRow key={drop.name} drop={drop} />
              ))}
            </tbody>
          </table>
        ) : found ? (
          <p>{t('drops.none')}</p>
        ) : null}
      </Card>
      <LogCard />
      <ReportCard profile={profile} />
    </Page>
  );
}

const LOOKS: Readonly<Record<Check['verdict'], { readonly tone: Tone; readonly icon: IconName }>> = {
  pass: { tone: 'ok', icon: 'ok' },
  warn: { tone: 'warn', icon: 'warn' },
  fail: { tone: 'bad', icon: 'bad' },
  skipped: { tone: 'idle', icon: 'info' },
};
const GRAVITY: Readonly<Record<Check['verdict'], number>> = { fail: 0, warn: 1, skipped: 2, pass: 3 };

function Checks({ checks }: { checks: readonly Check[] }): ReactNode {
  const { t } = useI18n();
  const ordered = [...checks].sort((a, b) => GRAVITY[a.verdict] - GRAVITY[b.verdict]);
  return (
    <>
      <p aria-live="polite">{summary(checks, t)}</p>
      <ul className="checks">
        {ordered.map((check) => (
          <CheckRow key={check.id} check={check} />
        ))}
      </ul>
    </>
  );
}

export function summary(checks: readonly Check[], t: Translate): string {
  if (checks.length === 0) return t('diagnostics.noChecks');
  const failed = checks.filter(({ verdict }) => verdict === 'fail').length;
  const warned = checks.filter(({ verdict }) => verdict === 'warn').length;
  if (!failed && !warned) return t('diagnostics.allWell', { count: checks.length });
  return [
    failed ? t('diagnostics.problems', { count: failed }) : '',
    warned ? t('diagnostics.warnings', { count: warned }) : '',
  ]
    .filter(Boolean)
    .join(' ');
}

function CheckRow({ check }: { check: Check }): ReactNode {
  const { t } = useI18n();
  const { tone, icon } = LOOKS[check.verdict];
  return (
    <li className="check" data-tone={tone} data-check={check.id}>
      <Icon name={icon} />
      <div className="grow stack tight">
        <div className="row">
          <h3>
            <Spoken told={check.title} />
          </h3>
          <Badge tone={tone}>{t(`verdict.${check.verdict}`)}</Badge>
        </div>
        <p className="break">
          <Spoken told={check.found} />
        </p>
        {check.cause === null && check.remedy === null ? null : (
          <dl className="check-why">
            {check.cause === null ? null : (
              <div>
                <dt className="small quiet">{t('check.cause')}</dt>
                <dd className="break">
                  <Spoken told={check.cause} />
                </dd>
              </div>
            )}
            {check.remedy === null ? null : (
              <div>
                <dt className="small quiet">{t('check.remedy')}</dt>
                <dd className="break">
                  <Spoken told={check.remedy} />
                </dd>
              </div>
            )}
          </dl>
        )}
      </div>
    </li>
  );
}

function DropRow({ drop }: { drop: Result<'checks'>['drops'][number] }): ReactNode {
  const { f } = useI18n();
  return (
    <tr>
      <th scope="row">
        <Spoken told={drop.meaning} /> <code className="small quiet">{drop.name}</code>
      </th>
      <td className="number numeric">{f.number(drop.packets)}</td>
    </tr>
  );
}
