// The routes of one kind: each with where it comes from, whether it has an effect, and who locked it.
import type { ReactNode } from 'react';
import type { Lock, Profiles, RouteEntry, RouteKind, RoutesView } from '../../../main/ipc/contract.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { useKeptFocus } from '../../components/kept-focus.ts';
import { LockBadge, useLocked } from '../../components/lock.tsx';
import { Badge, Card } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';

export interface RouteListProps {
  readonly view: RoutesView;
  readonly kind: RouteKind;
  readonly onAdd: () => void;
  readonly onEdit: (entry: RouteEntry) => void;
  readonly onRemove: (entry: RouteEntry) => void;
}

/** As many are counted at a glance. */
const FEW = 5;

const profilesOf = (model: Model): Profiles | null => model.profiles;

/** The lock on, above or below this part of the profile: locked lists take nothing new either, also while they are empty. */
export function lockOf(profiles: Profiles | null, profile: string, pointer: string): Lock | null {
  const covers = (a: string, b: string): boolean => a === b || b.startsWith(`${a}/`);
  const locks = profiles?.profiles.find(({ name }) => name === profile)?.locked ?? [];
  return locks.find((lock) => covers(lock.pointer, pointer) || covers(pointer, lock.pointer)) ?? null;
}

export function RouteList({ view, kind, onAdd, onEdit, onRemove }: RouteListProps): ReactNode {
  const { t } = useI18n();
  const locked = useLocked();
  const profiles = useModel(profilesOf);
  const around = useKeptFocus<HTMLDivElement>();
  const lock = lockOf(profiles, view.profile, `/routes/${kind}`);
  const entries = view.entries.filter((entry) => entry.kind === kind);
  // The most effective first: what has no effect now is at the end.
  const ordered = [...entries.filter(({ active }) => active), ...entries.filter(({ active }) => !active)];
  return (
    <div className="route-list-of" ref={around}>
      <Card
        title={t(kind === 'include' ? 'routes.include' : 'routes.exclude')}
        actions={
          <span className="row">
            {entries.length > FEW ? (
              <span className="small quiet">{t('routes.count', { count: entries.length })}</span>
            ) : null}
            <LockBadge lock={lock} />
            {locked(lock) ? null : (
              <Button
                size="small"
                icon="plus"
                label={t(kind === 'include' ? 'routes.addInclude' : 'routes.addExclude')}
                onPress={onAdd}
              >
                {t('routes.add')}
              </Button>
            )}
          </span>
        }
      >
        {ordered.length ? (
          <ul className="route-list">
            {ordered.map((entry) => (
              <Row
                key={`${entry.origin} ${entry.prefix}`}
                entry={entry}
                saysLock={entry.lock?.by !== lock?.by}
                mode={view.mode}
                onEdit={() => onEdit(entry)}
                onRemove={() => onRemove(entry)}
              />
            ))}
          </ul>
        ) : (
          <p className="quiet">{t(kind === 'include' ? 'routes.include.empty' : 'routes.exclude.empty')}</p>
        )}
      </Card>
    </div>
  );
}

interface RowProps {
  readonly entry: RouteEntry;
  /** The list's own lock does not say it already. */
  readonly saysLock: boolean;
  readonly mode: RoutesView['mode'];
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function Row({ entry, saysLock, mode, onEdit, onRemove }: RowProps): ReactNode {
  const { t } = useI18n();
  const locked = useLocked();
  const { prefix, origin, lock } = entry;
  const all = prefix === '0.0.0.0/0' ? t('routes.all4') : prefix === '::/0' ? t('routes.all6') : null;
  // What the gateway or the network brought is not ours to edit: their switches above are.
  const editable = (origin === 'profile' || origin === 'user') && !locked(lock);
  return (
    <li className="route" data-inactive={entry.active ? undefined : ''}>
      <div className="grow">
        <div className="row">
          <bdi className="mono break route-prefix">{prefix}</bdi>
          {all ? <span className="small quiet">{all}</span> : null}
        </div>
        <div className="row route-marks">
          <span className="small quiet">{t(`routes.origin.${origin}`)}</span>
          <LockBadge lock={saysLock ? lock : null} />
          {entry.way === 'blocked' ? (
            <Badge tone="warn" icon="warn">
              {t('routes.way.blocked')}
            </Badge>
          ) : null}
        </div>
        {entry.active ? null : (
          <p className="small quiet">{t(mode === 'full' ? 'routes.inactive.full' : 'routes.inactive.split')}</p>
        )}
      </div>
      {editable ? (
        <span className="route-buttons">
          <IconButton icon="edit" size="small" label={t('routes.edit', { prefix })} onPress={onEdit} />
          <IconButton icon="trash" size="small" label={t('routes.remove', { prefix })} onPress={onRemove} />
        </span>
      ) : null}
    </li>
  );
}
