// Says that a part of the profile is locked, and by whom. Who may change it all the same is decided by `useLocked`.
import type { ReactNode } from 'react';
import type { Lock } from '../../main/ipc/contract.ts';
import { useI18n } from '../i18n/context.tsx';
import { useModel } from '../store/context.tsx';
import type { Model } from '../store/model.ts';
import { Badge } from './page.tsx';

const administrates = (model: Model): boolean => model.link.state === 'open' && model.link.role === 'administrator';

/** Whether this lock binds the person here: an administrator may change locked things. The engine has the last word. */
export function useLocked(): (lock: Lock | null) => boolean {
  const administrator = useModel(administrates);
  return (lock) => lock !== null && !administrator;
}

export function LockBadge({ lock }: { lock: Lock | null }): ReactNode {
  const { t } = useI18n();
  if (!lock) return null;
  return <Badge icon="lock">{lock.by === null ? t('app.locked') : t('app.lockedBy', { by: lock.by })}</Badge>;
}
