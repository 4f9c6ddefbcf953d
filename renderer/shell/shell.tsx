// The frame of every page: navigation, the tunnel's state in a corner, the engine's absence, and what happens elsewhere.
import { type ReactNode, useEffect, useRef } from 'react';
import { Icon, type IconName, Mark } from '../components/icon.tsx';
import { useI18n } from '../i18n/context.tsx';
import { PAGES, type PageName, pageHref, usePage } from '../router.ts';
import { useModel } from '../store/context.tsx';
import { currentProfile } from '../store/model.ts';
import { ConnectionPage } from '../views/connection/connection.tsx';
import { faceOf, TONES } from '../views/connection/face.ts';
import { DiagnosticsPage } from '../views/diagnostics/diagnostics.tsx';
import { MtuPage } from '../views/mtu/mtu.tsx';
import { ProfilesPage } from '../views/profiles/profiles.tsx';
import { RoutesPage } from '../views/routes/routes.tsx';
import { SettingsPage } from '../views/settings/settings.tsx';
import { ProfileDrop } from './profile-drop.tsx';
import { PromptDialog } from './prompt-dialog.tsx';
import { StateAnnouncer } from './state-announcer.tsx';

const VIEWS: Readonly<Record<PageName, () => ReactNode>> = {
  connection: ConnectionPage,
  profiles: ProfilesPage,
  routes: RoutesPage,
  mtu: MtuPage,
  diagnostics: DiagnosticsPage,
  settings: SettingsPage,
};

const ICONS: Readonly<Record<PageName, IconName>> = {
  connection: 'connection',
  profiles: 'profiles',
  routes: 'routes',
  mtu: 'mtu',
  diagnostics: 'diagnostics',
  settings: 'settings',
};

export function Shell(): ReactNode {
  const page = usePage();
  const { t } = useI18n();
  const main = useRef<HTMLElement>(null);
  const arrived = useRef(page);
  const View = VIEWS[page];

  useEffect(() => {
    document.title = t('app.title', { page: t(`nav.${page}`) });
    if (arrived.current === page) return;
    arrived.current = page;
    // As after loading a page: reading begins at its start.
    main.current?.focus();
    main.current?.scrollTo?.(0, 0);
  }, [page, t]);

  return (
    <ProfileDrop>
      <div className="shell" data-page={page}>
        <header className="shell-nav">
          <a
            className="skip"
            href={pageHref(page)}
            onClick={(event) => {
              event.preventDefault();
              main.current?.focus();
            }}
          >
            {t('app.skip')}
          </a>
          <div className="brand">
            <Mark />
            {t('app.name')}
          </div>
          <nav aria-label={t('app.navigation')}>
            <ul className="tabs">
              {PAGES.map((name) => (
                <li key={name} className="tab-item">
                  <a className="tab" href={pageHref(name)} aria-current={name === page ? 'page' : undefined}>
                    <Icon name={ICONS[name]} />
                    <span className="tab-long">{t(`nav.${name}`)}</span>
                    <span className="tab-short">{t(`nav.${name}.short`)}</span>
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <Corner />
        </header>
        <main className="shell-page" ref={main} tabIndex={-1}>
          <View />
        </main>
        <StateAnnouncer />
        <PromptDialog />
      </div>
    </ProfileDrop>
  );
}

function Corner(): ReactNode {
  const { t } = useI18n();
  const face = useModel(faceOf);
  const profile = useModel(currentProfile);
  return (
    <a className="shell-state" href={pageHref('connection')}>
      <span className="dot" data-tone={TONES[face.kind]} />
      <strong>{t(`state.${face.kind}`)}</strong>
      {profile ? <span className="quiet break">{profile}</span> : null}
    </a>
  );
}
