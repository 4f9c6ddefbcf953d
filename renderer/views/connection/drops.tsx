// Packets that went nowhere, by reason: each is in exactly one of the packet core's counters.
import type { ReactNode } from 'react';
import { Card } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { isKey } from '../../i18n/translate.ts';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';

const trafficOf = (model: Model): Model['traffic'] => model.traffic;

/** Counters that tell of packets that went on, or of fragments that became packets. */
const NO_DROP: ReadonlySet<string> = new Set([
  'outPackets',
  'outBytes',
  'outDummies',
  'outCut',
  'outFragments',
  'outMssClamped',
  'inPackets',
  'inBytes',
  'inIke',
  'inKeepalives',
  'inDummies',
  'inMerged',
  'inMssClamped',
  'inParked',
  'inGreKeepalive',
  'fragReceived',
  'fragReassembled',
]);

export interface DropCount {
  readonly name: string;
  readonly packets: number;
}

/** Most first. */
export function dropsOf(counters: Readonly<Record<string, number>>): readonly DropCount[] {
  return Object.entries(counters)
    .filter(([name, packets]) => packets > 0 && !NO_DROP.has(name) && !name.endsWith('Bytes'))
    .map(([name, packets]) => ({ name, packets }))
    .sort((a, b) => b.packets - a.packets || a.name.localeCompare(b.name));
}

export function Drops(): ReactNode {
  const { t, f } = useI18n();
  const traffic = useModel(trafficOf);
  const drops = dropsOf(traffic?.counters ?? {});
  const meaning = (name: string): string => {
    const key = `drop.${name}`;
    return isKey(key) ? (t as (key: string) => string)(key) : name;
  };
  return (
    <Card title={t('connection.drops')} className="drops">
      {drops.length === 0 ? (
        <p className="quiet">{t('connection.noDrops')}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('connection.dropReason')}</th>
              <th scope="col" className="end">
                {t('connection.dropCount')}
              </th>
            </tr>
          </thead>
          <tbody>
            {drops.map(({ name, packets }) => (
              <tr key={name}>
                <td>
                  {meaning(name)} <code className="small quiet">{name}</code>
                </td>
                <td className="end numeric">{f.number(packets)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
