// What the command line prints: plain words, no colour, one fact a line. Nothing that came from a peer or a file reaches
// the terminal with its control characters.
import type {
  ConnectStep,
  ContractError,
  EngineState,
  LogEntry,
  ProfileSummary,
  Status,
  TrafficStatistics,
  TunnelInfo,
} from '../ipc/contract.ts';
import { sideBySide } from '../ipc/error.ts';

/** Newlines stay; every other control character becomes "?". */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}

export const STEP_TEXT: Readonly<Record<ConnectStep, string>> = {
  resolve: 'Looking up the gateway',
  socket: 'Opening sockets',
  'sa-init': 'Agreeing on encryption with the gateway',
  auth: 'Proving identities, agreeing on the tunnel',
  tun: 'Setting up the network interface',
  routes: 'Setting up routes',
};

export const SHAPE_TEXT: Readonly<Record<TunnelInfo['shape'], string>> = {
  'gre-transport': 'GRE in ESP transport mode',
  'gre-tunnel': 'GRE in ESP tunnel mode',
  'esp-tunnel': 'ESP tunnel mode, without GRE',
  'gre-plain': 'plain GRE, NOT ENCRYPTED',
};

const WIDTH = 14;
const row = (name: string, value: string): string => `  ${name.padEnd(WIDTH)}${value}`;
const list = (values: readonly string[]): string => (values.length > 0 ? values.join(', ') : 'none');

export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

export function tunnelText(tunnel: TunnelInfo): string {
  const nat = [tunnel.behindNat.local && 'this computer', tunnel.behindNat.remote && 'the gateway'].filter(Boolean);
  const encrypted = tunnel.shape !== 'gre-plain';
  const carried =
    tunnel.encapsulation === 'udp'
      ? 'in UDP'
      : tunnel.encapsulation === 'tcp'
        ? 'in TCP'
        : encrypted
          ? 'as IP protocol 50'
          : 'as IP protocol 47';
  const rows = [
    row('gateway', tunnel.gatewayIdentity ? `${tunnel.gateway} (${tunnel.gatewayIdentity})` : tunnel.gateway),
    row('from', tunnel.local),
    row(
      'tunnel',
      `${SHAPE_TEXT[tunnel.shape]}, ${carried}${nat.length > 0 ? `; behind a NAT: ${nat.join(' and ')}` : ''}`,
    ),
    ...(encrypted
      ? [
          row('encryption', `IKE ${tunnel.ikeProposal}, ESP ${tunnel.espProposal}`),
          row('post-quantum', postQuantumText(tunnel)),
        ]
      : []),
    row('interface', `${tunnel.interfaceName}: ${list(tunnel.addresses)}`),
    ...(tunnel.assigned.length > 0 ? [row('assigned', list(tunnel.assigned))] : []),
    ...namesRows(tunnel),
    row('routes', list(tunnel.routes.include)),
    ...(tunnel.routes.exclude.length > 0 ? [row('not routed', list(tunnel.routes.exclude))] : []),
    ...((tunnel.routes.blocked ?? []).length > 0
      ? [row('refused', `${list(tunnel.routes.blocked ?? [])} (no tunnel for it, and not let around this one)`)]
      : []),
    ...(tunnel.direct ?? []).map(({ prefix, espProposal }) =>
      row('beside GRE', `${prefix}: ${espProposal ? `ESP ${espProposal}` : 'NOT REACHED, there is no SA for it'}`),
    ),
    row('MTU', `${tunnel.mtu.value} (TCP segments: ${tunnel.mtu.mss4} over IPv4, ${tunnel.mtu.mss6} over IPv6)`),
    row('', tunnel.mtu.explanation),
    ...tunnel.warnings.map((warning) => row('warning', warning.text)),
  ];
  return printable(rows.join('\n'));
}

/** "yes (ML-KEM-768)". */
function postQuantumText({ postQuantum, ikeProposal }: TunnelInfo): string {
  const [, bits] = /mlkem(\d+)/.exec(ikeProposal) ?? [];
  return postQuantum ? `yes${bits ? ` (ML-KEM-${bits})` : ''}` : 'no';
}

/** Who is asked for names, or which servers the gateway named though nobody asks them. */
function namesRows({ names, dns }: TunnelInfo): readonly string[] {
  if (!names) return dns.length > 0 ? [row('DNS', `${list(dns)} (named by the gateway, not used)`)] : [];
  const which = names.domains.length > 0 ? list(names.domains) : 'every name';
  return [row('DNS', `${list(names.servers)} for ${which}, ${names.how}`)];
}

export function trafficText(traffic: TrafficStatistics): string {
  const received = `${bytesText(traffic.bytesIn)} in ${traffic.packetsIn} packets`;
  const sent = `${bytesText(traffic.bytesOut)} in ${traffic.packetsOut} packets`;
  const last =
    traffic.lastInboundAgo === null ? 'nothing heard yet' : `last heard ${duration(traffic.lastInboundAgo)} ago`;
  return `received ${received}, sent ${sent}, ${last}`;
}

/** The core's counters beside the plain traffic, for `status`: why packets were dropped. */
const ORDINARY = new Set(['outPackets', 'outBytes', 'inPackets', 'inBytes', 'inIke', 'inKeepalives']);

function countersText(traffic: TrafficStatistics): readonly string[] {
  const others = Object.entries(traffic.counters).filter(([name, value]) => value > 0 && !ORDINARY.has(name));
  return others.length > 0 ? [row('counters', others.map(([name, value]) => `${name} ${value}`).join(', '))] : [];
}

/** One line. */
export function stateText(engine: EngineState, now: number): string {
  switch (engine.state) {
    case 'disconnected':
      return 'Not connected.';
    case 'connecting': {
      const again = engine.attempt > 1 ? ` (attempt ${engine.attempt})` : '';
      const asked = engine.prompt
        ? `waiting for a ${engine.prompt.kind === 'code' ? 'one-time code' : 'password'}`
        : null;
      return `Connecting with "${engine.profile}"${again}: ${asked ?? STEP_TEXT[engine.step]} …`;
    }
    case 'connected':
      return `Connected with "${engine.profile}" for ${duration(now - engine.tunnel.since)}.`;
    case 'reconnecting':
      if (engine.held)
        return `The connection with "${engine.profile}" was lost and is not tried again by itself. Traffic for the tunnel is held back until you connect again or disconnect.`;
      return `The connection with "${engine.profile}" was lost; attempt ${engine.attempt} in ${duration(engine.retryAt - now + 999)}. Traffic for the tunnel is held back until then.`;
    case 'disconnecting':
      return `Disconnecting from "${engine.profile}" …`;
    case 'failed':
      return `The connection with "${engine.profile}" failed.`;
  }
}

/** What we offered and what they accept, where an error knows it. */
const comparison = (error: ContractError): readonly string[] => {
  const text = sideBySide(error);
  return text ? ['', text] : [];
};

export function statusText(status: Status, now: number): string {
  const { engine, traffic } = status;
  const lines = [stateText(engine, now)];
  if (engine.state === 'connected') lines.push(tunnelText(engine.tunnel));
  if (engine.state === 'reconnecting')
    lines.push(row('because', engine.because.message), row('', engine.because.remedy));
  if (engine.state === 'failed')
    lines.push(row('because', engine.error.message), row('', engine.error.remedy), ...comparison(engine.error));
  if (engine.state === 'disconnected' && engine.lastError)
    lines.push(
      row('last error', engine.lastError.message),
      row('', engine.lastError.remedy),
      ...comparison(engine.lastError),
    );
  if (engine.state !== 'connected' && status.blocked?.length) lines.push(row('held back', list(status.blocked)));
  if (traffic && (engine.state === 'connected' || engine.state === 'reconnecting'))
    lines.push(row('traffic', trafficText(traffic)), ...countersText(traffic));
  return printable(lines.join('\n'));
}

export function profilesText(profiles: readonly ProfileSummary[]): string {
  if (profiles.length === 0) return 'There are no profiles. `culvert import FILE` adds one.';
  const width = (values: readonly string[]): number => Math.max(...values.map((value) => value.length));
  const names = width(profiles.map(({ name }) => name));
  const gateways = width(profiles.map(({ gateway }) => gateway));
  return printable(
    profiles
      .map(({ name, gateway, shape }) => `${name.padEnd(names)}  ${gateway.padEnd(gateways)}  ${SHAPE_TEXT[shape]}`)
      .join('\n'),
  );
}

export function logText({ time, level, area, text }: LogEntry): string {
  const indented = text.split('\n').join('\n    ');
  return printable(`${new Date(time).toISOString()} ${level.padEnd(5)} ${area}: ${indented}`);
}
