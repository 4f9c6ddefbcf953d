// "Test the path": progress, a way out, and what was found in words, with the measured value one press away.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { PathTest, PathTestResult } from '../../../main/ipc/contract.ts';
import { useAnnounce } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { useLocked } from '../../components/lock.tsx';
import { Card, Facts, Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Progress } from '../../components/progress.tsx';
import { Spoken } from '../../components/spoken.tsx';
import { useToast } from '../../components/toasts.tsx';
import type { Tone } from '../../components/tone.ts';
import { useI18n } from '../../i18n/context.tsx';
import type { Translate } from '../../i18n/translate.ts';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import type { ChangeProps } from './choice.tsx';
import { resultOf } from './verdict.ts';

const testOf = (model: Model) => model.pathTest;
const connectedOf = (model: Model): string | null =>
  model.link.state === 'open' && model.status?.engine.state === 'connected' ? model.status.engine.profile : null;

const TONES: Readonly<Record<ReturnType<typeof resultOf>['kind'], Tone>> = {
  none: 'bad',
  fits: 'ok',
  smaller: 'warn',
  larger: 'ok',
};

export function PathTestCard({ profile, view, onChanged }: ChangeProps): ReactNode {
  const { t, say } = useI18n();
  const engine = useEngine();
  const announce = useAnnounce();
  const test = useModel(testOf);
  const connected = useModel(connectedOf) === profile;
  const start = useTask();
  const cancel = useTask();
  const [cancelled, setCancelled] = useState(false);
  const running = test?.state === 'running' && test.profile === profile ? test : null;
  const last = test?.state === 'idle' && test.last?.profile === profile ? test.last : null;
  const result = connected ? last : null;

  const heard = useRef(result);
  useEffect(() => {
    if (result && heard.current !== result) announce(say(result.verdict).text);
    heard.current = result;
  }, [result, announce, say]);

  const run = (): void => {
    setCancelled(false);
    cancel.clear();
    void start.run(async () => {
      try {
        await engine.call('pathTest', {});
      } catch (error) {
        // That somebody ended it is no error.
        if (!(error instanceof Object && 'code' in error && error.code === 'daemon/test-cancelled')) throw error;
        setCancelled(true);
        announce(t('mtu.test.cancelled'));
      }
    });
  };

  return (
    <Card title={t('mtu.test')}>
      <p className="quiet">{t('mtu.test.text')}</p>
      {running ? (
        <Progress label={t('mtu.test.running')} value={running.progress} text={knownText(running, t)} />
      ) : null}
      {!running && result ? <Result result={result} profile={profile} view={view} onChanged={onChanged} /> : null}
      {!running && cancelled ? <p>{t('mtu.test.cancelled')}</p> : null}
      {start.error && !running ? <Problem error={start.error} /> : null}
      {cancel.error ? <Problem error={cancel.error} /> : null}
      <div className="row">
        {running ? (
          <Button
            icon="close"
            busy={cancel.busy}
            onPress={() => void cancel.run(() => engine.call('cancelPathTest', {}))}
          >
            {t('mtu.test.cancel')}
          </Button>
        ) : (
          <Button busy={start.busy} disabled={!connected} onPress={run}>
            {result ? t('mtu.test.again') : t('mtu.test.start')}
          </Button>
        )}
        {connected ? null : <span className="small quiet">{t('mtu.test.needsTunnel')}</span>}
      </div>
    </Card>
  );
}

function knownText({ probing, works, fails }: Extract<PathTest, { state: 'running' }>, t: Translate): string {
  const trying = t('mtu.test.probing', { size: probing });
  if (works !== null && fails !== null) return `${trying} ${t('mtu.test.known', { works, fails })}`;
  if (works !== null) return `${trying} ${t('mtu.test.works', { works })}`;
  if (fails !== null) return `${trying} ${t('mtu.test.fails', { fails })}`;
  return trying;
}

function Result({ result, profile, view, onChanged }: ChangeProps & { result: PathTestResult }): ReactNode {
  const { t, f } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const locked = useLocked()(view.lock);
  const task = useTask();
  const { path } = result;
  const { kind } = resultOf(result);
  // Nothing to take over where the tunnel has the value already.
  const usable = path !== null && (view.mode === 'fixed' || view.path !== path) && kind !== 'none';
  const use = (): void => {
    if (path === null) return;
    void task.run(async () => {
      const next = await engine.call('setMtu', { profile, choice: { mode: 'automatic', path } });
      onChanged(next);
      toast({ tone: 'ok', text: t('mtu.applied', { mtu: next.value }) });
    });
  };
  return (
    <div className="stack">
      <Notice tone={TONES[kind]}>
        <p>
          <Spoken told={result.verdict} />
        </p>
        {usable ? (
          <div>
            <Button size="small" disabled={locked} busy={task.busy} onPress={use}>
              {t('mtu.result.use', { path })}
            </Button>
          </div>
        ) : null}
      </Notice>
      {task.error ? <Problem error={task.error} /> : null}
      <Facts
        short
        facts={[
          { name: t('mtu.path'), value: path === null ? null : f.number(path) },
          { name: t('mtu.result.mtu'), value: result.mtu === null ? null : f.number(result.mtu) },
          {
            name: t('mtu.result.roundTrip'),
            value: result.roundTrip === null ? null : f.milliseconds(result.roundTrip),
          },
          { name: t('mtu.result.finished'), value: f.dateTime(result.finished) },
        ]}
      />
      {result.probes.length ? (
        <details>
          <summary>{t('mtu.result.probes')}</summary>
          <table className="sheet">
            <caption className="only-heard">{t('mtu.result.probes')}</caption>
            <thead>
              <tr>
                <th scope="col" className="number">
                  {t('mtu.size')}
                </th>
                <th scope="col" className="number">
                  {t('mtu.result.tries')}
                </th>
                <th scope="col">{t('mtu.result.arrived')}</th>
                <th scope="col" className="number">
                  {t('mtu.result.time')}
                </th>
              </tr>
            </thead>
            <tbody>
              {result.probes.map((probe, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: in the order of sending, one size may come twice
                <tr key={i}>
                  <td className="number numeric">{f.number(probe.size)}</td>
                  <td className="number numeric">{f.number(probe.tries)}</td>
                  <td>{probe.arrived ? t('app.yes') : t('app.no')}</td>
                  <td className="number numeric">
                    {probe.milliseconds === null ? '–' : f.milliseconds(probe.milliseconds)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ) : null}
    </div>
  );
}
