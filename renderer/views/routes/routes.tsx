// What goes through the tunnel and what does not, as a person reads it; changes take effect at once.
import { type ReactNode, useState } from 'react';
import type { RouteEntry, RouteKind, RoutesView } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { Switch } from '../../components/fields.tsx';
import { LockBadge, useLocked } from '../../components/lock.tsx';
import { Badge, Card, Notice } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Radios } from '../../components/radio.tsx';
import { Spoken } from '../../components/spoken.tsx';
import { useToast } from '../../components/toasts.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';
import { useProfileView } from '../../store/profile-view.ts';
import { ProfileScope } from '../profile-scope.tsx';
import { LookupCard } from './lookup.tsx';
import { RouteDialog } from './route-dialog.tsx';
import { lockOf, RouteList } from './route-list.tsx';
import './routes.css';

export function RoutesPage(): ReactNode {
  const { t } = useI18n();
  return <ProfileScope title={t('routes.title')}>{(profile) => <Routes profile={profile} />}</ProfileScope>;
}

const profilesOf = (model: Model) => model.profiles;

/** The form that is open: a new route of a kind, or one that is changed. */
type Form = { readonly kind: RouteKind; readonly editing: RouteEntry | null };

function Routes({ profile }: { profile: string }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const toast = useToast();
  const locked = useLocked();
  const { view, error, put } = useProfileView('routes', profile);
  const profiles = useModel(profilesOf);
  const change = useTask();
  const [form, setForm] = useState<Form | null>(null);
  const [resetting, setResetting] = useState(false);
  // What was last chosen, until the engine has answered: who changes their mind meanwhile must find it chosen.
  const [wish, setWish] = useState<RoutesView['mode'] | null>(null);

  if (!view) return error ? <Problem error={error} /> : <p className="quiet">{t('app.loading')}</p>;

  // Nothing is disabled meanwhile: what is disabled loses the keyboard's focus. The engine takes one after the other.
  const apply = (work: Promise<RoutesView>): Promise<boolean> => change.run(async () => put(await work));
  const choose = async (mode: RoutesView['mode']): Promise<void> => {
    setWish(mode);
    await apply(engine.call('setRouteMode', { profile, mode }));
    setWish((latest) => (latest === mode ? null : latest));
  };
  const remove = async (entry: RouteEntry): Promise<void> => {
    if (change.busy) return;
    const { prefix, kind } = entry;
    if (await apply(engine.call('removeRoute', { profile, prefix, kind })))
      toast({ tone: 'ok', text: t('routes.removed', { prefix }) });
  };
  const listOf = (kind: RouteKind): ReactNode => (
    <RouteList
      view={view}
      kind={kind}
      onAdd={() => setForm({ kind, editing: null })}
      onEdit={(editing) => setForm({ kind, editing })}
      onRemove={(entry) => void remove(entry)}
    />
  );

  return (
    <>
      {error ? <Problem error={error} tone="warn" /> : null}
      {change.error ? <Problem error={change.error} /> : null}
      {view.warnings.map((warning) => (
        <Notice key={warning.text} tone="warn">
          <p className="break">
            <Spoken told={warning} />
          </p>
        </Notice>
      ))}
      <Card
        title={t('routes.mode')}
        actions={
          <span className="row">
            <LockBadge lock={view.modeLock} />
            <Badge tone={view.live ? 'ok' : 'idle'}>{view.live ? t('routes.live') : t('routes.notLive')}</Badge>
          </span>
        }
      >
        <Radios
          label={t('routes.mode')}
          quietLabel
          inline
          value={wish ?? view.mode}
          disabled={locked(view.modeLock)}
          options={[
            { value: 'full', name: t('routes.mode.full'), detail: t('routes.mode.full.text') },
            { value: 'split', name: t('routes.mode.split'), detail: t('routes.mode.split.text') },
          ]}
          onChange={(mode) => void choose(mode)}
        />
        <Option
          name={t('routes.allowLan')}
          text={t('routes.allowLan.text')}
          lock={<LockBadge lock={view.allowLanLock} />}
          selected={view.allowLan}
          disabled={locked(view.allowLanLock)}
          onChange={(allowLan) => void apply(engine.call('setRouteOptions', { profile, allowLan }))}
        />
        <Option
          name={t('routes.fromGateway')}
          text={t('routes.fromGateway.text')}
          lock={<LockBadge lock={view.fromGatewayLock} />}
          selected={view.fromGateway}
          disabled={locked(view.fromGatewayLock)}
          onChange={(fromGateway) => void apply(engine.call('setRouteOptions', { profile, fromGateway }))}
        />
      </Card>
      <div className="route-lists">
        {listOf('include')}
        {listOf('exclude')}
      </div>
      <LookupCard profile={profile} view={view} />
      {view.changed && !locked(lockOf(profiles, profile, '/routes')) ? (
        <div className="row end">
          <Button icon="refresh" onPress={() => setResetting(true)}>
            {t('routes.reset')}
          </Button>
        </div>
      ) : null}
      {form ? (
        <RouteDialog
          profile={profile}
          kind={form.kind}
          editing={form.editing}
          view={view}
          onClose={() => setForm(null)}
          onDone={(next, text) => {
            put(next);
            setForm(null);
            toast({ tone: 'ok', text });
          }}
        />
      ) : null}
      {resetting ? (
        <Confirm
          title={t('routes.resetTitle')}
          text={t('routes.resetText', { profile })}
          action={t('routes.reset')}
          danger
          busy={change.busy}
          error={change.error}
          onClose={() => setResetting(false)}
          onConfirm={() =>
            void apply(engine.call('resetRoutes', { profile })).then((done) => done && setResetting(false))
          }
        />
      ) : null}
    </>
  );
}

function Option(props: {
  readonly name: string;
  readonly text: string;
  readonly lock: ReactNode;
  readonly selected: boolean;
  readonly disabled: boolean;
  readonly onChange: (selected: boolean) => void;
}): ReactNode {
  return (
    <div className="route-option">
      <Switch selected={props.selected} disabled={props.disabled} onChange={props.onChange}>
        {props.name}
        <span className="route-option-text">{props.text}</span>
      </Switch>
      {props.lock}
    </div>
  );
}
