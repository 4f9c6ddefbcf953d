// What the tunnel carries, in a sentence: the second thing that a person wants to know, after whether it is up. The page
// Routes has all of it, and how to change it.
import type { ReactNode } from 'react';
import type { TunnelInfo } from '../../../main/ipc/contract.ts';
import { useI18n } from '../../i18n/context.tsx';
import type { Format } from '../../i18n/format.ts';
import type { Translate } from '../../i18n/translate.ts';

/** A sentence holds so many networks; of more it names two. */
const MOST = 3;

export function Carries({ routes }: { routes: TunnelInfo['routes'] }): ReactNode {
  const { t, f } = useI18n();
  return <p className="break">{carriesText(routes, t, f)}</p>;
}

export function carriesText({ include, exclude }: TunnelInfo['routes'], t: Translate, f: Format): string {
  // One family is enough: the other one is refused then (ARCHITECTURE.md, routing without leaks and loops).
  const all = include.some((prefix) => prefix === '0.0.0.0/0' || prefix === '::/0');
  if (!all)
    return include.length
      ? t('connection.carries.some', { prefixes: named(include, t, f) })
      : t('connection.carries.none');
  return exclude.length
    ? t('connection.carries.except', { prefixes: named(exclude, t, f) })
    : t('connection.carries.all');
}

function named(prefixes: readonly string[], t: Translate, f: Format): string {
  if (prefixes.length <= MOST) return f.list(prefixes);
  const rest = t('connection.carries.more', { count: prefixes.length - MOST + 1 });
  return f.list([...prefixes.slice(0, MOST - 1), rest]);
}
