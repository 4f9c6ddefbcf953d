// A profile as facts: the same for one that is stored and one that is about to be.
import type { ReactNode } from 'react';
import type { ProfileDetails } from '../../../main/ipc/contract.ts';
import { Facts } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import type { Key } from '../../i18n/languages.ts';
import type { Translate } from '../../i18n/translate.ts';

export function ProfileFacts({ profile }: { profile: ProfileDetails }): ReactNode {
  const { t } = useI18n();
  const { routes, mtu, proposals } = profile;
  return (
    <Facts
      facts={[
        {
          name: t('profiles.gateway'),
          value: `${profile.gateway}${profile.gatewayPort === 500 ? '' : ` (${t('profiles.port')} ${profile.gatewayPort})`}`,
          mono: true,
        },
        { name: t('connection.shape'), value: t(`connection.shape.${profile.shape}`) },
        {
          name: t('profiles.gatewayIdentity'),
          value: profile.gatewayIdentity ?? <span className="quiet">{t('profiles.anyIdentity')}</span>,
        },
        {
          name: t('profiles.identity'),
          value: profile.identity ?? <span className="quiet">{t('profiles.ownAddress')}</span>,
        },
        { name: t('profiles.method'), value: methodName(profile.method, t) },
        { name: t('profiles.encapsulation'), value: t(`profiles.encapsulation.${profile.encapsulation}`) },
        {
          name: t('profiles.addresses'),
          value: profile.addresses.length ? (
            <bdi className="mono">{profile.addresses.join(', ')}</bdi>
          ) : (
            <span className="quiet">{t('profiles.assigned')}</span>
          ),
        },
        { name: t('profiles.include'), value: routes.include.join(', ') || null, mono: true },
        { name: t('profiles.exclude'), value: routes.exclude.join(', ') || null, mono: true },
        {
          name: t('profiles.mtu'),
          value: mtu.value === null ? t('profiles.mtuAutomatic', { path: String(mtu.path) }) : String(mtu.value),
        },
        { name: t('profiles.ike'), value: proposals.ike.join(', ') || null, mono: true },
        { name: t('profiles.esp'), value: proposals.esp.join(', ') || null, mono: true },
        { name: t('profiles.locks'), value: profile.locked.length ? <Locks profile={profile} /> : null },
      ]}
    />
  );
}

/** What is locked and by whom. */
function Locks({ profile }: { profile: ProfileDetails }): ReactNode {
  const { t } = useI18n();
  return (
    <ul>
      {profile.locked.map(({ pointer, by }) => {
        const what = lockedPart(pointer, t);
        return <li key={pointer}>{by ? t('profiles.lockedByLine', { what, by }) : what}</li>;
      })}
    </ul>
  );
}

/** What a person may change has a name on the pages. The rest is as in the profile file: "timing.rekeySeconds". */
const PARTS = {
  '': 'profiles.lockAll',
  '/routes': 'routes.title',
  '/routes/include': 'profiles.include',
  '/routes/exclude': 'profiles.exclude',
  '/routes/allowLan': 'routes.allowLan',
  '/routes/fromGateway': 'routes.fromGateway',
  '/mtu': 'profiles.mtu',
  '/mtu/value': 'profiles.mtu',
  '/mtu/path': 'mtu.path',
  '/gateway': 'profiles.gateway',
  '/authentication': 'profiles.method',
} as const satisfies Readonly<Record<string, Key>>;

const isPart = (pointer: string): pointer is keyof typeof PARTS => Object.hasOwn(PARTS, pointer);

function lockedPart(pointer: string, t: Translate): string {
  return isPart(pointer) ? t(PARTS[pointer]) : pointer.slice(1).replaceAll('/', '.');
}

/** Methods that the engine may have one day are shown by their own name. */
function methodName(method: string, t: Translate): string {
  if (method === 'psk') return t('profiles.method.psk');
  if (method === 'certificate') return t('profiles.method.certificate');
  if (method.startsWith('eap-')) return t('profiles.method.eap', { method: method.toUpperCase() });
  return method;
}
