// The stored profiles: what each says, who locked what, and what can be done with it.
import { type ReactNode, useState } from 'react';
import { Button } from '../../components/button.tsx';
import { Empty, Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { ImportDialog } from './import-dialog.tsx';
import { ProfileCard } from './profile-card.tsx';
import './profiles.css';

const profilesOf = (model: Model): Model['profiles'] => model.profiles;

export function ProfilesPage(): ReactNode {
  const { t } = useI18n();
  const known = useModel(profilesOf);
  const [importing, setImporting] = useState(false);
  const importButton = (
    <span data-act="import">
      <Button kind="primary" icon="plus" onPress={() => setImporting(true)}>
        {t('profiles.importTitle')}
      </Button>
    </span>
  );
  const none = known?.profiles.length === 0 && known.broken.length === 0;
  return (
    <Page title={t('profiles.title')} actions={none ? null : importButton}>
      {known ? null : <p className="quiet">{t('app.loading')}</p>}
      {none ? (
        <div className="card">
          <Empty icon="profiles" title={t('profiles.empty')}>
            <p className="quiet">{t('profiles.emptyText')}</p>
            {importButton}
          </Empty>
        </div>
      ) : null}
      {known?.profiles.length ? (
        <ul className="stack">
          {known.profiles.map((profile) => (
            <li key={profile.name}>
              <ProfileCard profile={profile} names={known.profiles.map(({ name }) => name)} />
            </li>
          ))}
        </ul>
      ) : null}
      {known?.broken.map(({ name, error }) => (
        <section key={name} className="card" aria-label={name}>
          <h2 className="break">{name}</h2>
          <p>{t('profiles.broken')}</p>
          <Problem error={error} />
        </section>
      ))}
      {importing ? <ImportDialog onClose={() => setImporting(false)} /> : null}
    </Page>
  );
}
