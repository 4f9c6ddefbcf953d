// The frame of a page that speaks of one profile: which one, a choice where there are several, and what to show where
// there is none, or no engine to ask.
import { type ReactNode, useState } from 'react';
import { Choice } from '../components/fields.tsx';
import { Empty, Page } from '../components/page.tsx';
import { Problem } from '../components/problem.tsx';
import { useI18n } from '../i18n/context.tsx';
import { pageHref } from '../router.ts';
import { useModel } from '../store/context.tsx';
import { currentProfile, type Model } from '../store/model.ts';

const profilesOf = (model: Model) => model.profiles;
const linkOf = (model: Model) => model.link;

export function ProfileScope({
  title,
  children,
}: {
  title: string;
  children: (profile: string) => ReactNode;
}): ReactNode {
  const { t } = useI18n();
  const profiles = useModel(profilesOf)?.profiles ?? null;
  const current = useModel(currentProfile);
  const [chosen, setChosen] = useState<string | null>(null);
  const names = profiles?.map(({ name }) => name) ?? [];
  const profile = chosen !== null && names.includes(chosen) ? chosen : current;

  if (profiles === null)
    return (
      <Page title={title}>
        <Away />
        <p className="quiet">{t('app.loading')}</p>
      </Page>
    );
  if (profile === null || !names.includes(profile))
    return (
      <Page title={title}>
        <Away />
        <Empty icon="profiles" title={t('app.noProfile')}>
          <p className="quiet">{t('app.noProfileText')}</p>
          <a href={pageHref('profiles')}>{t('app.toProfiles')}</a>
        </Empty>
      </Page>
    );
  return (
    <Page
      title={title}
      actions={
        names.length > 1 ? (
          <Choice
            label={t('app.profile')}
            quietLabel
            value={profile}
            options={names.map((name) => ({ value: name, name }))}
            onChange={setChosen}
          />
        ) : (
          <span className="quiet break">{profile}</span>
        )
      }
    >
      <Away />
      {/* A form begun for one profile is not another's. */}
      <div className="stack" key={profile}>
        {children(profile)}
      </div>
    </Page>
  );
}

/** Where the engine does not answer, what is on the page is what was known last. */
export function Away(): ReactNode {
  const link = useModel(linkOf);
  if (link.state !== 'lost' && link.state !== 'refused') return null;
  return <Problem error={link.because} />;
}
