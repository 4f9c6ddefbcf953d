// One stored profile.
import { type ReactNode, useId, useState } from 'react';
import type { ProfileDetails } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { Confirm, Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/fields.tsx';
import { focusPage } from '../../components/kept-focus.ts';
import { Badge } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useToast } from '../../components/toasts.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { goTo } from '../../router.ts';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { ProfileFacts } from './summary.tsx';

/** The profile that a session holds; null: none. */
const inUseOf = ({ status }: Model): string | null =>
  status && status.engine.state !== 'disconnected' && status.engine.state !== 'failed' ? status.engine.profile : null;

export function ProfileCard({ profile, names }: { profile: ProfileDetails; names: readonly string[] }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const inUse = useModel(inUseOf);
  const [asking, setAsking] = useState<'rename' | 'remove' | null>(null);
  const title = useId();
  const { name, locked } = profile;
  const whole = locked.some(({ pointer }) => pointer === '');
  return (
    <section className="card" aria-labelledby={title}>
      <div className="card-head">
        <div className="stack tight grow profile-words">
          <div className="row">
            <h2 id={title} className="profile-name break">
              {name}
            </h2>
            {inUse === name ? (
              <Badge tone="ok" icon="shield">
                {t('profiles.inUse')}
              </Badge>
            ) : null}
            {locked.length ? (
              <Badge icon="lock">{whole ? t('profiles.allLocked') : t('profiles.someLocked')}</Badge>
            ) : null}
            {profile.changed.length ? <Badge icon="edit">{t('profiles.changed')}</Badge> : null}
          </div>
          <p className="quiet break">
            <bdi className="mono">{profile.gateway}</bdi> · {t(`connection.shape.${profile.shape}`)}
          </p>
        </div>
        <div className="row profile-acts">
          {inUse === null ? (
            <Button
              size="small"
              label={t('profiles.connectTo', { name })}
              onPress={() => {
                engine.connect(name);
                goTo('connection');
              }}
            >
              {t('profiles.connect')}
            </Button>
          ) : null}
          <Button
            size="small"
            kind="quiet"
            icon="edit"
            label={t('profiles.renameOf', { name })}
            onPress={() => setAsking('rename')}
          >
            {t('profiles.rename')}
          </Button>
          <Button
            size="small"
            kind="quiet"
            icon="trash"
            label={t('profiles.removeOf', { name })}
            onPress={() => setAsking('remove')}
          >
            {t('profiles.remove')}
          </Button>
        </div>
      </div>
      <details className="details">
        <summary>{t('profiles.details')}</summary>
        <ProfileFacts profile={profile} />
      </details>
      {asking === 'rename' ? (
        <Rename name={name} names={names} onClose={() => setAsking(null)} />
      ) : asking === 'remove' ? (
        <Remove name={name} inUse={inUse === name} onClose={() => setAsking(null)} />
      ) : null}
    </section>
  );
}

function Rename({ name, names, onClose }: { name: string; names: readonly string[]; onClose: () => void }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const { busy, error, run } = useTask();
  const [next, setNext] = useState(name);
  const wanted = next.trim();
  const taken = wanted !== name && names.includes(wanted);
  const rename = async (): Promise<void> => {
    if (!wanted || taken || busy) return;
    if (wanted === name) return onClose();
    if (!(await run(() => engine.call('rename', { profile: name, name: wanted })))) return;
    if (engine.store.get().picked === name) engine.pick(wanted);
    toast({ tone: 'ok', text: t('profiles.renamed', { from: name, to: wanted }) });
    onClose();
  };
  return (
    <Dialog
      title={t('profiles.renameOf', { name })}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('app.cancel')}</Button>
          <Button kind="primary" busy={busy} disabled={!wanted || taken} onPress={() => void rename()}>
            {t('profiles.rename')}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <TextField
          label={t('profiles.newName')}
          value={next}
          onChange={setNext}
          error={taken ? t('profiles.nameTaken') : null}
          maxLength={63}
          autoFocus
        />
      </form>
      {error ? <Problem error={error} /> : null}
    </Dialog>
  );
}

function Remove({ name, inUse, onClose }: { name: string; inUse: boolean; onClose: () => void }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const { busy, error, run } = useTask();
  if (inUse)
    return (
      <Dialog
        title={t('profiles.removeOf', { name })}
        onClose={onClose}
        actions={<Button onPress={onClose}>{t('app.close')}</Button>}
      >
        <p>{t('profiles.removeInUse')}</p>
      </Dialog>
    );
  return (
    <Confirm
      title={t('profiles.removeAsk', { name })}
      text={t('profiles.removeText')}
      action={t('profiles.remove')}
      danger
      busy={busy}
      error={error}
      onClose={onClose}
      onConfirm={() => {
        void run(() => engine.call('remove', { profile: name })).then((done) => {
          if (!done) return;
          toast({ tone: 'ok', text: t('profiles.removed', { name }) });
          onClose();
          focusPage();
        });
      }}
    />
  );
}
