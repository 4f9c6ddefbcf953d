// The arithmetic as a stacked bar, and the same as a table, which is what screen readers get. Each kind has a pattern as
// well as a colour.
import type { ReactNode } from 'react';
import type { MtuView } from '../../../main/ipc/contract.ts';
import { Card } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { overheadOf, type Segment, segmentsOf, totalOf } from './layout.ts';

export function BarCard({ view }: { view: MtuView }): ReactNode {
  const { t, f } = useI18n();
  const segments = segmentsOf(view);
  const path = totalOf(segments);
  const overhead = overheadOf(segments);
  return (
    <Card title={t('mtu.bar')}>
      <p className="quiet">{t('mtu.bar.text')}</p>
      <div className="mtu-bar" aria-hidden="true">
        {segments.map(({ kind, bytes }) => (
          <span
            key={kind}
            className="mtu-segment"
            data-kind={kind}
            style={{ flexGrow: weight({ kind, bytes }, overhead) }}
            title={`${t(`mtu.part.${kind}`)}: ${f.number(bytes)}`}
          >
            <span className="mtu-bytes">{f.number(bytes)}</span>
          </span>
        ))}
      </div>
      <p>{t('mtu.bar.share', { overhead, path, share: f.percent(path > 0 ? overhead / path : 0) })}</p>
      <table className="sheet mtu-parts">
        <caption className="only-heard">{t('mtu.table')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('mtu.part')}</th>
            <th scope="col" className="number">
              {t('mtu.size')}
            </th>
            <th scope="col" className="mtu-meaning">
              {t('mtu.meaning')}
            </th>
          </tr>
        </thead>
        <tbody>
          {segments.map(({ kind, bytes }) => (
            <tr key={kind}>
              <th scope="row">
                <span className="mtu-swatch" data-kind={kind} aria-hidden="true" />
                {t(`mtu.part.${kind}`)}
              </th>
              <td className="number numeric">{f.number(bytes)}</td>
              <td className="mtu-meaning quiet">{t(`mtu.part.${kind}.text`)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t('mtu.total')}</th>
            <td className="number numeric">{f.number(path)}</td>
            <td className="mtu-meaning" />
          </tr>
        </tfoot>
      </table>
    </Card>
  );
}

/** Headers to scale among themselves; the payload as wide as all of them, or they could not be seen beside it. */
function weight({ kind, bytes }: Segment, overhead: number): number {
  return kind === 'payload' || kind === 'kept' ? Math.min(bytes, overhead * (kind === 'payload' ? 0.8 : 0.3)) : bytes;
}
