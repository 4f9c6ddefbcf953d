// How the app looks and what it does by itself. What only the desktop shell can do is shown in a browser too, with the
// reason why it cannot be changed there.
import { type ReactNode, useRef } from 'react';
import type { Params, Settings } from '../../../main/ipc/contract.ts';
import { Choice, type Option, Switch } from '../../components/fields.tsx';
import { Card, Facts, Notice, Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Radios } from '../../components/radio.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { LANGUAGE_NAMES, preferredLanguage } from '../../i18n/languages.ts';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { Away } from '../profile-scope.tsx';
import { Trusted } from './trusted.tsx';
import './settings.css';

const settingsOf = (model: Model) => model.settings;
const profilesOf = (model: Model) => model.profiles;
const statusOf = (model: Model) => model.status?.version ?? null;
const linkOf = (model: Model) => model.link;

/** "No profile": names of profiles have no space at the beginning. */
const NONE = ' none';

export function SettingsPage(): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const settings = useModel(settingsOf);
  const version = useModel(statusOf);
  const link = useModel(linkOf);
  const task = useTask();
  const shell = window.culvert !== undefined;

  const last = useRef<Promise<unknown>>(Promise.resolve());

  // One after another, each made of what the one before has left, which the engine tells before it answers: a list is sent as a whole.
  const set: Set = (changed) => {
    const done = last.current.then(async () => {
      const now = engine.store.get().settings;
      if (now) await engine.call('setSettings', typeof changed === 'function' ? changed(now) : changed);
    });
    // Whoever asked for it is told below.
    last.current = done.catch(() => {});
    void task.run(() => done);
  };

  return (
    <Page title={t('settings.title')}>
      <Away />
      {task.error ? <Problem error={task.error} /> : null}
      {settings ? (
        <>
          <Appearance settings={settings} set={set} />
          {shell ? null : <ShellOnly />}
          <Start settings={settings} set={set} shell={shell} />
          <Automatic settings={settings} set={set} shell={shell} />
        </>
      ) : (
        <p className="quiet">{t('app.loading')}</p>
      )}
      <Card title={t('settings.about')}>
        <Facts
          facts={[
            { name: t('settings.version'), value: version, mono: true },
            { name: t('settings.role'), value: link.state === 'open' ? t(`settings.role.${link.role}`) : null },
            { name: t('settings.place'), value: t(shell ? 'settings.place.shell' : 'settings.place.browser') },
          ]}
        />
      </Card>
    </Page>
  );
}

type Change = Params<'setSettings'>;
/** What changes; or made of the newest settings there are. */
type Set = (changed: Change | ((now: Settings) => Change)) => void;

interface PartProps {
  readonly settings: Settings;
  readonly set: Set;
}

function Appearance({ settings, set }: PartProps): ReactNode {
  const { t } = useI18n();
  const system = LANGUAGE_NAMES[preferredLanguage(navigator.languages)];
  return (
    <Card title={t('settings.appearance')}>
      <Radios
        label={t('settings.theme')}
        inline
        value={settings.theme}
        options={[
          { value: 'system', name: t('settings.theme.system') },
          { value: 'light', name: t('settings.theme.light') },
          { value: 'dark', name: t('settings.theme.dark') },
        ]}
        onChange={(theme) => set({ theme })}
      />
      <div className="settings-narrow">
        <Choice
          label={t('settings.language')}
          value={settings.language}
          options={[
            { value: 'system', name: t('settings.language.system', { language: system }) },
            { value: 'en', name: LANGUAGE_NAMES.en },
            { value: 'zh-Hans', name: LANGUAGE_NAMES.zh },
            { value: 'de', name: LANGUAGE_NAMES.de },
            { value: 'fr', name: LANGUAGE_NAMES.fr },
          ]}
          onChange={(language) => set({ language })}
        />
      </div>
    </Card>
  );
}

/** The profiles there are, and the one that is set though it is gone. */
function useProfileOptions(chosen: string | null): readonly Option<string>[] {
  const { t } = useI18n();
  const names = useModel(profilesOf)?.profiles.map(({ name }) => name) ?? [];
  const options = names.map((name) => ({ value: name, name }));
  if (chosen === null || names.includes(chosen)) return options;
  return [...options, { value: chosen, name: t('settings.connectAtStart.gone', { profile: chosen }) }];
}

function Start({ settings, set, shell }: PartProps & { shell: boolean }): ReactNode {
  const { t } = useI18n();
  const options = useProfileOptions(settings.connectAtStart);
  return (
    <Card title={t('settings.start')}>
      <Switch selected={settings.startAtLogin} disabled={!shell} onChange={(startAtLogin) => set({ startAtLogin })}>
        {t('settings.startAtLogin')}
        <span className="small quiet settings-detail">{t('settings.startAtLogin.text')}</span>
      </Switch>
      <div className="settings-narrow">
        <Choice
          label={t('settings.connectAtStart')}
          value={settings.connectAtStart ?? NONE}
          options={[{ value: NONE, name: t('settings.connectAtStart.none') }, ...options]}
          disabled={!shell}
          onChange={(name) => set({ connectAtStart: name === NONE ? null : name })}
        />
      </div>
    </Card>
  );
}

function Automatic({ settings, set, shell }: PartProps & { shell: boolean }): ReactNode {
  const { t } = useI18n();
  const { autoConnect } = settings;
  const options = useProfileOptions(autoConnect.profile);
  const change = (part: (now: Settings['autoConnect']) => Partial<Settings['autoConnect']>): void =>
    set((now) => ({ autoConnect: { ...now.autoConnect, ...part(now.autoConnect) } }));
  return (
    <Card title={t('settings.auto')}>
      <Switch selected={autoConnect.enabled} disabled={!shell} onChange={(enabled) => change(() => ({ enabled }))}>
        {t('settings.auto.enabled')}
        <span className="small quiet settings-detail">{t('settings.auto.text')}</span>
      </Switch>
      <div className="settings-narrow">
        <Choice
          label={t('settings.auto.profile')}
          value={autoConnect.profile}
          options={options}
          placeholder={t('settings.auto.pick')}
          disabled={!shell}
          onChange={(profile) => change(() => ({ profile }))}
        />
      </div>
      {autoConnect.enabled && autoConnect.profile === null ? (
        <Notice tone="warn">
          <p>{t('settings.auto.noProfile')}</p>
        </Notice>
      ) : null}
      <Trusted
        trusted={autoConnect.trusted}
        disabled={!shell}
        onChange={(of) => change(({ trusted }) => ({ trusted: of(trusted) }))}
      />
    </Card>
  );
}

function ShellOnly(): ReactNode {
  const { t } = useI18n();
  return (
    <Notice>
      <p>{t('settings.shellOnly')}</p>
    </Notice>
  );
}
