// Totals of this connection.
import type { ReactNode } from 'react';
import { Card } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { lossOf } from './series.ts';

const trafficOf = (model: Model): Model['traffic'] => model.traffic;
const samplesOf = (model: Model): Model['samples'] => model.samples;

/** Silence shorter than this, in milliseconds, is none. */
const JUST_NOW = 2_000;

export function Statistics(): ReactNode {
  const { t, f } = useI18n();
  const traffic = useModel(trafficOf);
  const samples = useModel(samplesOf);
  const loss = lossOf(samples);
  const latency = samples.at(-1)?.latency ?? null;
  const heard = traffic?.lastInboundAgo;
  return (
    <Card title={t('connection.statistics')} className="statistics">
      <dl className="figures numeric">
        <Figure
          name={t('connection.in')}
          value={f.bytes(traffic?.bytesIn ?? 0)}
          more={t('connection.packets', { count: traffic?.packetsIn ?? 0 })}
        />
        <Figure
          name={t('connection.out')}
          value={f.bytes(traffic?.bytesOut ?? 0)}
          more={t('connection.packets', { count: traffic?.packetsOut ?? 0 })}
        />
        <Figure
          name={t('connection.latency')}
          value={latency === null ? t('connection.unknown') : f.milliseconds(latency)}
        />
        <Figure name={t('connection.loss')} value={loss === null ? t('connection.unknown') : f.percent(loss)} />
        <Figure
          name={t('connection.lastHeard')}
          value={
            heard === undefined || heard === null
              ? t('connection.never')
              : heard < JUST_NOW
                ? t('connection.justNow')
                : t('connection.ago', { time: f.duration(heard) })
          }
        />
      </dl>
    </Card>
  );
}

function Figure({ name, value, more }: { name: string; value: string; more?: string }): ReactNode {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
      {more ? <dd className="small quiet">{more}</dd> : null}
    </div>
  );
}
