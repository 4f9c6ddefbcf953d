// Throughput and latency of the last two minutes.
import { type ReactNode, useMemo } from 'react';
import { Card } from '../../components/page.tsx';
import { Plot } from '../../components/plot.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { extentOf, SPAN, seriesOf } from './series.ts';

const samplesOf = (model: Model): Model['samples'] => model.samples;

export function Traffic(): ReactNode {
  const { t, f } = useI18n();
  const samples = useModel(samplesOf);
  const series = useMemo(() => seriesOf(samples), [samples]);
  const received = extentOf(series.in);
  const sent = extentOf(series.out);
  const latency = extentOf(series.latency);
  const throughput = useMemo(
    () => [
      { name: t('connection.in'), colour: '--plot-in', fill: '--plot-in-fill', values: series.in },
      { name: t('connection.out'), colour: '--plot-out', fill: '--plot-out-fill', dashed: true, values: series.out },
    ],
    [series, t],
  );
  const delays = useMemo(
    () => [{ name: t('connection.latency'), colour: '--plot-latency', values: series.latency }],
    [series, t],
  );
  if (!received || !sent)
    return (
      <Card title={t('connection.plot')} className="traffic">
        <p className="quiet">{t('connection.noSamples')}</p>
      </Card>
    );
  return (
    <Card
      title={t('connection.plot')}
      className="traffic"
      actions={<span className="small quiet">{t('connection.plotWindow')}</span>}
    >
      <ul className="legend">
        <Entry swatch="in" name={t('connection.in')} value={f.rate(received.now)} />
        <Entry swatch="out" name={t('connection.out')} value={f.rate(sent.now)} />
      </ul>
      <Plot
        times={series.times}
        series={throughput}
        span={SPAN}
        height={190}
        least={10_000}
        format={f.rate}
        summary={t('connection.trafficSummary', {
          in: f.rate(received.now),
          mostIn: f.rate(received.most),
          out: f.rate(sent.now),
          mostOut: f.rate(sent.most),
        })}
      />
      <ul className="legend">
        <Entry
          swatch="latency"
          name={t('connection.latencyPlot')}
          value={latency ? f.milliseconds(latency.now) : t('connection.unknown')}
        />
      </ul>
      <Plot
        times={series.times}
        series={delays}
        span={SPAN}
        height={108}
        least={10}
        format={f.milliseconds}
        summary={
          latency
            ? t('connection.latencySummary', {
                now: f.milliseconds(latency.now),
                least: f.milliseconds(latency.least),
                most: f.milliseconds(latency.most),
              })
            : t('connection.noSamples')
        }
      />
    </Card>
  );
}

function Entry({ swatch, name, value }: { swatch: 'in' | 'out' | 'latency'; name: string; value: string }): ReactNode {
  return (
    <li>
      <span className="swatch" data-swatch={swatch} />
      <span className="quiet">{name}</span>
      <strong className="numeric">{value}</strong>
    </li>
  );
}
