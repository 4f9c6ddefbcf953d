// How the tunnel is made: addresses, cipher suites, what is around the packets.
import type { ReactNode } from 'react';
import type { TunnelInfo } from '../../../main/ipc/contract.ts';
import { Badge, Card, Facts } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';
import type { Translate } from '../../i18n/translate.ts';

export function TunnelCard({ tunnel }: { tunnel: TunnelInfo }): ReactNode {
  const { t } = useI18n();
  const { behindNat: nat, mtu } = tunnel;
  const side = nat.local ? (nat.remote ? 'both' : 'local') : nat.remote ? 'remote' : 'none';
  const encrypted = tunnel.shape !== 'gre-plain';
  return (
    <Card title={t('connection.tunnel')} className="tunnel">
      <Facts
        columns
        facts={[
          { name: t('connection.addresses'), value: texts(tunnel.addresses), mono: true },
          {
            name: t('connection.assigned'),
            value: same(tunnel.assigned, tunnel.addresses) ? null : texts(tunnel.assigned),
            mono: true,
          },
          { name: t('connection.gateway'), value: tunnel.gateway, mono: true },
          { name: t('connection.gatewayIdentity'), value: tunnel.gatewayIdentity || null, mono: true },
          { name: t('connection.local'), value: tunnel.local, mono: true },
          { name: t('connection.interface'), value: tunnel.interfaceName, mono: true },
          {
            name: t('connection.dns'),
            value: tunnel.names
              ? texts(tunnel.names.servers)
              : tunnel.dns.length > 0
                ? t('connection.dns.unused', { servers: tunnel.dns.join(', ') })
                : null,
            mono: true,
          },
          {
            name: t('connection.names'),
            value: tunnel.names
              ? tunnel.names.domains.length > 0
                ? texts(tunnel.names.domains)
                : t('connection.names.all')
              : null,
          },
          { name: t('connection.routes'), value: texts(tunnel.routes.include), mono: true },
          {
            name: t('connection.direct'),
            value: tunnel.direct
              ? texts(
                  tunnel.direct.map(({ prefix, espProposal }) =>
                    t(espProposal === undefined ? 'connection.direct.down' : 'connection.direct.up', { prefix }),
                  ),
                )
              : null,
            mono: true,
          },
          { name: t('connection.shape'), value: t(`connection.shape.${tunnel.shape}`) },
          { name: t('connection.encapsulation'), value: t(`connection.encapsulation.${tunnel.encapsulation}`) },
          { name: t('connection.nat'), value: encrypted ? t(`connection.nat.${side}`) : null },
          {
            name: t('connection.mtu'),
            value: t('connection.mtuValue', {
              mtu: String(mtu.value),
              mss4: String(mtu.mss4),
              mss6: String(mtu.mss6),
            }),
          },
          { name: t('connection.ike'), value: encrypted ? tunnel.ikeProposal : null, mono: true },
          { name: t('connection.esp'), value: encrypted ? tunnel.espProposal : null, mono: true },
          {
            name: t('connection.postQuantum'),
            value: encrypted ? (
              <Badge tone={tunnel.postQuantum ? 'ok' : 'idle'} {...(tunnel.postQuantum ? { icon: 'shield' } : {})}>
                {keyExchangeText(tunnel, t)}
              </Badge>
            ) : null,
          },
        ]}
      />
    </Card>
  );
}

const texts = (values: readonly string[]): string | null => (values.length ? values.join(', ') : null);

/** The same addresses, whatever prefix lengths are behind them. */
const same = (a: readonly string[], b: readonly string[]): boolean => {
  const bare = (all: readonly string[]): string => all.map((address) => address.split('/')[0]).join(' ');
  return a.length === 0 || bare(a) === bare(b);
};

/** With the name of the method, which is part of the proposal: "…-ke1_mlkem768" is ML-KEM-768. */
function keyExchangeText({ postQuantum, ikeProposal }: TunnelInfo, t: Translate): string {
  if (!postQuantum) return t('connection.postQuantum.no');
  const [, bits] = /mlkem(\d+)/.exec(ikeProposal) ?? [];
  return bits ? t('connection.postQuantum.by', { kem: `ML-KEM-${bits}` }) : t('connection.postQuantum.yes');
}
