// The page for the question "am I connected?": the state first and large, then the numbers, then how the tunnel is made.
import type { ReactNode } from 'react';
import { Button } from '../../components/button.tsx';
import { Notice, Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Spoken } from '../../components/spoken.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import './connection.css';
import { Drops } from './drops.tsx';
import { faceOf } from './face.ts';
import { StateCard } from './state-card.tsx';
import { Statistics } from './statistics.tsx';
import { Traffic } from './traffic.tsx';
import { TunnelCard } from './tunnel-card.tsx';

const refusalOf = (model: Model): Model['refusal'] => model.refusal;

export function ConnectionPage(): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const face = useModel(faceOf);
  const refusal = useModel(refusalOf);
  const up = face.kind === 'connected';
  const held = face.kind === 'reconnecting' || face.kind === 'blocked';
  return (
    <Page title={t('connection.title')}>
      <StateCard face={face} />
      {refusal ? (
        <section aria-label={t('connection.refusal')}>
          <Problem
            error={refusal.error}
            actions={
              <Button kind="quiet" size="small" onPress={engine.dismissRefusal}>
                {t('connection.dismiss')}
              </Button>
            }
          />
        </section>
      ) : null}
      {up && face.tunnel.warnings.length ? (
        <Notice tone="warn">
          <h2>{t('connection.warnings')}</h2>
          <ul className="stack tight">
            {face.tunnel.warnings.map((warning) => (
              <li key={warning.text} className="break">
                <Spoken told={warning} />
              </li>
            ))}
          </ul>
        </Notice>
      ) : null}
      {up || held ? (
        <div className="connection-grid">
          <Traffic />
          <div className="connection-column">
            <Statistics />
            <Drops />
          </div>
        </div>
      ) : null}
      {up ? <TunnelCard tunnel={face.tunnel} /> : null}
    </Page>
  );
}
