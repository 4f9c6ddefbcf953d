// Which profile, and so which gateway, to connect to.
import type { ReactNode } from 'react';
import { Choice } from '../../components/fields.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useModel } from '../../store/context.tsx';
import { currentProfile, type Model } from '../../store/model.ts';

const profilesOf = (model: Model): Model['profiles'] => model.profiles;

export function ProfilePicker(): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const profiles = useModel(profilesOf);
  const current = useModel(currentProfile);
  const gateway = profiles?.profiles.find(({ name }) => name === current)?.gateway;
  return (
    <div className="profile-picker">
      <Choice
        label={t('connection.pick')}
        value={current}
        options={(profiles?.profiles ?? []).map(({ name, gateway: at }) => ({ value: name, name, detail: at }))}
        onChange={engine.pick}
        disabled={!profiles}
      />
      {gateway ? (
        <p className="quiet small break">
          {t('connection.gateway')} <bdi className="mono">{gateway}</bdi>
        </p>
      ) : null}
    </div>
  );
}
