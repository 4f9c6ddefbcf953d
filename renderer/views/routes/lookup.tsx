// "Where would this address or name go?", answered by the engine for the tunnel that is up, or as it would be.
import { type ReactNode, useEffect, useState } from 'react';
import type { RouteAnswer, RouteLookup, RoutesView } from '../../../main/ipc/contract.ts';
import { useAnnounce } from '../../components/announcer.tsx';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/fields.tsx';
import { Badge, Card } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Spoken } from '../../components/spoken.tsx';
import type { Tone } from '../../components/tone.ts';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useTask } from '../../store/context.tsx';

const TONES: Readonly<Record<RouteAnswer['way'], Tone>> = { tunnel: 'ok', direct: 'busy', blocked: 'warn' };

export function LookupCard({ profile, view }: { profile: string; view: RoutesView }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const announce = useAnnounce();
  const task = useTask();
  const [target, setTarget] = useState('');
  const [found, setFound] = useState<RouteLookup | null>(null);
  const [asked, setAsked] = useState<string | null>(null);

  // Other routes, perhaps another answer.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the view is what may change the answer
  useEffect(() => {
    if (asked === null) return;
    let stale = false;
    engine.call('routeLookup', { target: asked, profile }).then(
      (answer) => stale || setFound(answer),
      () => stale || setFound(null),
    );
    return () => {
      stale = true;
    };
  }, [view]);

  const ask = (): void => {
    const wanted = target.trim();
    if (!wanted) return;
    void task.run(async () => {
      setFound(null);
      setAsked(null);
      const answer = await engine.call('routeLookup', { target: wanted, profile });
      setFound(answer);
      setAsked(wanted);
      const heard = answer.answers.map(({ address, way }) => `${address}: ${t(`routes.answer.${way}`)}`);
      announce(heard.length ? heard.join('. ') : t('routes.lookup.none'));
    });
  };

  return (
    <Card title={t('routes.lookup')}>
      <p className="quiet">{t('routes.lookup.text')}</p>
      <form
        className="route-lookup"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <TextField
          label={t('routes.lookup.target')}
          value={target}
          onChange={setTarget}
          hint={t('routes.lookup.hint')}
          mono
          maxLength={253}
        />
        <Button type="submit" icon="search" busy={task.busy} disabled={!target.trim()}>
          {t('routes.lookup.ask')}
        </Button>
      </form>
      {task.error ? <Problem error={task.error} /> : null}
      {found ? (
        <div className="stack tight">
          {found.answers.length === 0 ? <p>{t('routes.lookup.none')}</p> : null}
          <ul className="route-list">
            {found.answers.map((answer) => (
              <li className="route" key={answer.address} data-way={answer.way}>
                <div className="grow">
                  <div className="row">
                    <bdi className="mono break route-prefix">{answer.address}</bdi>
                    <Badge tone={TONES[answer.way]}>{t(`routes.answer.${answer.way}`)}</Badge>
                  </div>
                  <p className="small quiet">
                    <Spoken told={answer.because} />
                    {answer.rule ? <> · {t(`routes.origin.${answer.rule.origin}`)}</> : null}
                  </p>
                </div>
              </li>
            ))}
          </ul>
          <p className="small quiet">{t(found.live ? 'routes.lookup.live' : 'routes.lookup.planned')}</p>
        </div>
      ) : null}
    </Card>
  );
}
