// What a person hands to somebody who helps: everything that explains a problem, and nothing that is secret. Profiles are
// described, never copied, so no secret is in what is collected; whatever looks like one in the log's free text is blotted out.
import type { Check, Drop, LogEntry, MtuView, ProfileDetails, RoutesView, Status } from '../ipc/contract.ts';

export interface ReportParts {
  readonly made: number;
  readonly system: Readonly<Record<string, string>>;
  readonly status: Status;
  readonly profile: ProfileDetails | null;
  readonly routes: RoutesView | null;
  readonly mtu: MtuView | null;
  readonly checks: readonly Check[];
  readonly drops: readonly Drop[];
  readonly log: readonly LogEntry[];
  /** Blots out the secrets that the engine knows. */
  readonly clean: (text: string) => string;
}

/** Long runs of hexadecimal or base64 digits are keys or might be; names and addresses are shorter. */
const KEY_LIKE = /\b(?:0x)?[0-9a-f]{32,}\b|[A-Za-z0-9+/]{40,}={0,2}/gi;
const NAMED = /\b(secret|psk|password|passphrase|private[ _-]?key|token)\b(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|\S+)/gi;

export function redact(text: string): string {
  return text.replace(NAMED, '$1$2[hidden]').replace(KEY_LIKE, '[hidden]');
}

export function makeReport(parts: ReportParts): { readonly text: string; readonly json: string } {
  const { clean, ...rest } = parts;
  const tidy = (text: string): string => redact(clean(text));
  const body = JSON.stringify(
    { culvertReport: 1, ...rest, made: new Date(parts.made).toISOString() },
    (_, value: unknown) => (typeof value === 'string' ? tidy(value) : value),
    2,
  );
  return { json: `${body}\n`, text: tidy(textOf(parts)) };
}

function textOf({ made, system, status, profile, routes, mtu, checks, drops, log }: ReportParts): string {
  const section = (title: string, lines: readonly string[]): string[] => [
    '',
    title,
    ...lines.map((line) => `  ${line}`),
  ];
  const state = status.engine;
  const why = 'error' in state ? state.error : 'because' in state ? state.because : null;
  const tunnel = state.state === 'connected' ? state.tunnel : null;
  const lines = [
    `Culvert report, ${new Date(made).toISOString()}`,
    ...section(
      'System',
      Object.entries(system).map(([key, value]) => `${key}: ${value}`),
    ),
    ...section('State', [state.state, ...(why ? [`${why.code}: ${why.message}`, why.remedy] : [])]),
    ...(tunnel
      ? section('Tunnel', [
          `${tunnel.shape} over ${tunnel.encapsulation} to ${tunnel.gateway} (${tunnel.gatewayIdentity})`,
          `IKE ${tunnel.ikeProposal}; ESP ${tunnel.espProposal}`,
          `addresses ${tunnel.addresses.join(', ')}; since ${new Date(tunnel.since).toISOString()}`,
          ...tunnel.warnings.map(({ text }) => text),
        ])
      : []),
    ...(profile
      ? section('Profile', [
          `${profile.name}: ${profile.shape} to ${profile.gateway}, ${profile.method} as ${profile.identity ?? 'its address'}`,
          `IKE ${profile.proposals.ike.join(', ')}`,
          `ESP ${profile.proposals.esp.join(', ')}`,
          `changed: ${profile.changed.join(', ') || 'nothing'}; locked: ${profile.locked.map(({ pointer }) => pointer || 'all').join(', ') || 'nothing'}`,
        ])
      : []),
    ...(routes
      ? section(`Routes (${routes.mode})`, [
          ...routes.entries.map(
            ({ prefix, kind, way, origin, active }) => `${prefix} ${kind} (${origin}): ${active ? way : 'not now'}`,
          ),
          ...routes.warnings.map(({ text }) => text),
        ])
      : []),
    ...(mtu ? section('MTU', [mtu.explanation, ...mtu.warnings.map(({ text }) => text)]) : []),
    ...section(
      'Checks',
      checks.flatMap(({ verdict, title, found, cause, remedy }) => [
        `${verdict.padEnd(7)} ${title.text}: ${found.text}`,
        ...(cause ? [`        ${cause.text}`] : []),
        ...(remedy ? [`        ${remedy.text}`] : []),
      ]),
    ),
    ...section(
      'Drops',
      drops.length > 0 ? drops.map(({ packets, meaning, name }) => `${packets} ${name}: ${meaning.text}`) : ['none'],
    ),
    ...section(
      'Log',
      log.map(
        ({ time, level, area, text }) =>
          `${new Date(time).toISOString()} ${level} ${area}: ${text.replaceAll('\n', ' ')}`,
      ),
    ),
  ];
  return `${lines.join('\n')}\n`;
}
