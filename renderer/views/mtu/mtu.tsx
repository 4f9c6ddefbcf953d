// How large packets may be: on the path, in the tunnel, and in TCP; why; and the two ways to change it.
import type { ReactNode } from 'react';
import type { MtuView } from '../../../main/ipc/contract.ts';
import { LockBadge } from '../../components/lock.tsx';
import { Badge, Card, Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useProfileView } from '../../store/profile-view.ts';
import { ProfileScope } from '../profile-scope.tsx';
import { BarCard } from './bar.tsx';
import { ChoiceCard } from './choice.tsx';
import { PathTestCard } from './path-test.tsx';
import '../../theme/sheet.css';
import './mtu.css';

export function MtuPage(): ReactNode {
  const { t } = useI18n();
  return <ProfileScope title={t('mtu.title')}>{(profile) => <MtuOf profile={profile} />}</ProfileScope>;
}

function MtuOf({ profile }: { profile: string }): ReactNode {
  const { t } = useI18n();
  const { view, error, put } = useProfileView('mtu', profile);
  if (!view) return error ? <Problem error={error} /> : <p className="quiet">{t('app.loading')}</p>;
  return (
    <>
      {error ? <Problem error={error} tone="warn" /> : null}
      {view.ipv6Allowed ? null : (
        <Notice tone="warn">
          <p>{t('mtu.ipv6Off', { mtu: view.value })}</p>
        </Notice>
      )}
      <SizesCard view={view} />
      <div className="mtu-pair">
        <ChoiceCard profile={profile} view={view} onChanged={put} />
        <PathTestCard profile={profile} view={view} onChanged={put} />
      </div>
      <BarCard view={view} />
    </>
  );
}

function SizesCard({ view }: { view: MtuView }): ReactNode {
  const { t, f } = useI18n();
  const { mss4, mss6, ipv6Allowed } = view;
  return (
    <Card
      title={t('mtu.sizes')}
      actions={
        <span className="row">
          <LockBadge lock={view.lock} />
          <Badge tone={view.live ? 'ok' : 'idle'}>{view.live ? t('mtu.live') : t('mtu.notLive')}</Badge>
        </span>
      }
    >
      <dl className="mtu-sizes">
        <Size name={t('mtu.path')} value={f.number(view.path)} text={t('mtu.path.text')}>
          {t(`mtu.path.${view.pathSource}`)}
        </Size>
        <Size name={t('mtu.tunnel')} value={f.number(view.value)} text={t('mtu.tunnel.text')}>
          {t(view.mode === 'automatic' ? 'mtu.automatic' : 'mtu.fixed')}
        </Size>
        <Size name={t('mtu.mss')} value={f.number(mss4)} text={t('mtu.mss.text')}>
          {ipv6Allowed ? t('mtu.mss.values', { mss4, mss6 }) : t('mtu.mss.only4', { mss4 })}
        </Size>
      </dl>
    </Card>
  );
}

function Size({ name, value, text, children }: { name: string; value: string; text: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mtu-number numeric">{value}</dd>
      <dd className="small">{children}</dd>
      <dd className="small quiet">{text}</dd>
    </div>
  );
}
