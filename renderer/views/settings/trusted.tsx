// The networks that a person trusts: which one this is now and what counts, the list, and adding to it.
import { type ReactNode, useId, useState } from 'react';
import { type Network, type Settings, sameNetwork, type TrustedNetwork, trustOf } from '../../../main/ipc/contract.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { TextField } from '../../components/fields.tsx';
import { Badge, Notice } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import type { Translate } from '../../i18n/translate.ts';
import { useModel } from '../../store/context.tsx';
import type { Model } from '../../store/model.ts';

const networkOf = (model: Model) => model.network;

/** As the contract bounds the list and a name in it. */
const MOST_TRUSTED = 100;
const LONGEST_NAME = 64;

export interface TrustedProps {
  readonly trusted: Settings['autoConnect']['trusted'];
  readonly disabled: boolean;
  /** Gets the list as it is by then. */
  readonly onChange: (of: (trusted: readonly TrustedNetwork[]) => readonly TrustedNetwork[]) => void;
}

export function Trusted({ trusted, disabled, onChange }: TrustedProps): ReactNode {
  const { t } = useI18n();
  const list = useId();
  const [text, setText] = useState('');
  const typed: TrustedNetwork = { kind: 'wifi', name: text.trim() };
  const known = trusted.some((one) => sameNetwork(one, typed));
  const full = trusted.length >= MOST_TRUSTED;
  const add = (network: TrustedNetwork): void => {
    if (!full) onChange((all) => (all.some((one) => sameNetwork(one, network)) ? all : [...all, network]));
  };
  return (
    <>
      <ThisNetwork trusted={trusted} disabled={disabled || full} onTrust={add} />
      <div className="stack tight">
        <h3 id={list}>{t('settings.trusted')}</h3>
        {trusted.length ? (
          <ul className="trusted" aria-labelledby={list}>
            {trusted.map((one) => (
              <li key={`${one.kind} ${nameOf(one, t)}`}>
                <bdi className="break">{nameOf(one, t)}</bdi>
                <IconButton
                  icon="close"
                  size="small"
                  label={t('settings.trusted.remove', { network: nameOf(one, t) })}
                  disabled={disabled}
                  onPress={() => onChange((all) => all.filter((other) => !sameNetwork(other, one)))}
                />
              </li>
            ))}
          </ul>
        ) : (
          <p className="quiet">{t('settings.trusted.none')}</p>
        )}
        <p className="small quiet">{t('settings.trusted.rule')}</p>
      </div>
      <form
        className="settings-add"
        onSubmit={(event) => {
          event.preventDefault();
          if (!typed.name || known || full) return;
          add(typed);
          setText('');
        }}
      >
        <TextField
          label={t('settings.trusted.add')}
          value={text}
          onChange={setText}
          disabled={disabled}
          error={typed.name && known ? t('settings.trusted.known') : full ? t('settings.trusted.full') : null}
          maxLength={LONGEST_NAME}
        />
        <Button type="submit" icon="plus" disabled={disabled || !typed.name || known || full}>
          {t('settings.trusted.addButton')}
        </Button>
      </form>
    </>
  );
}

function ThisNetwork({
  trusted,
  disabled,
  onTrust,
}: {
  readonly trusted: TrustedProps['trusted'];
  readonly disabled: boolean;
  readonly onTrust: (network: TrustedNetwork) => void;
}): ReactNode {
  const { t } = useI18n();
  const network = useModel(networkOf);
  if (!network) return null;
  const trust = trustOf(network, trusted);
  const addable = entryOf(network);
  return (
    <div className="stack tight">
      <h3>{t('settings.network')}</h3>
      <div className="settings-network">
        <bdi className="break">{nameOf(network, t)}</bdi>
        {trust === 'offline' ? null : (
          <Badge tone={trust === 'trusted' ? 'ok' : 'warn'}>
            {t(trust === 'trusted' ? 'settings.network.trusted' : 'settings.network.untrusted')}
          </Badge>
        )}
        {trust === 'untrusted' && addable ? (
          <Button icon="plus" disabled={disabled} onPress={() => onTrust(addable)}>
            {t('settings.network.trust')}
          </Button>
        ) : null}
      </div>
      {trust === 'unproven' || (network.kind === 'wifi' && !network.secured) ? (
        <Notice tone="warn">
          <p>{t('settings.network.unproven')}</p>
        </Notice>
      ) : null}
      {network.kind === 'unknown' ? <p className="quiet">{t(`settings.network.${network.because}`)}</p> : null}
    </div>
  );
}

/** What would go into the list for it; null: it cannot be told from others, or nobody vouches for it. */
function entryOf(network: Network): TrustedNetwork | null {
  if (network.kind === 'wired') return { kind: 'wired', gateway: network.gateway };
  return network.kind === 'wifi' && network.secured && network.name.length <= LONGEST_NAME
    ? { kind: 'wifi', name: network.name }
    : null;
}

function nameOf(network: Network | TrustedNetwork, t: Translate): string {
  switch (network.kind) {
    case 'wifi':
      return network.name;
    case 'wired':
      return t('settings.network.wired', { gateway: network.gateway });
    case 'offline':
      return t('settings.network.offline');
    case 'unknown':
      return t('settings.network.unknown');
  }
}
