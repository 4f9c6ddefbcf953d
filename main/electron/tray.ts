// What the tray shows, as a function of what is known: icon, tooltip, menu. It never says "connected" without an engine
// that says so at this moment.
import type { EngineState } from '../ipc/contract.ts';
import type { SupervisorState } from './supervisor.ts';
import { fill, type Words } from './words.ts';

export type TrayIcon = 'off' | 'busy' | 'on' | 'problem';

/** What pressing an item does. */
export type TrayAction =
  | { readonly do: 'open' | 'disconnect' | 'retry' | 'quit' }
  /** Ends another connection first. */
  | { readonly do: 'connect'; readonly profile: string };

export type TrayItem =
  | { readonly separator: true }
  | {
      readonly label: string;
      /** null: information, cannot be pressed. */
      readonly action: TrayAction | null;
      /** A profile in use. */
      readonly checked?: boolean;
    };

export interface TrayInput {
  readonly supervisor: SupervisorState;
  /** Newest state of the engine that is attached; null: none was heard yet. */
  readonly engine: EngineState | null;
  /** Prefixes held back by the kill switch. */
  readonly blocked: readonly string[];
  readonly profiles: readonly string[];
  /** What went wrong lately, newest first. */
  readonly errors: readonly string[];
  readonly words: Words;
}

export interface TrayView {
  readonly icon: TrayIcon;
  readonly tooltip: string;
  readonly items: readonly TrayItem[];
}

const SEPARATOR: TrayItem = { separator: true };
/** Windows cuts tooltips of notification icons at 127 characters. */
const LONGEST_TOOLTIP = 127;

export function trayView(input: TrayInput): TrayView {
  const { supervisor, words } = input;
  const engine = supervisor.state === 'attached' ? input.engine : null;
  const { icon, text } = engine ? engineLook(engine, words) : supervisorLook(supervisor, words);
  const pattern = input.blocked.length > 0 && engine ? words.blocked : '{0}';
  const items: TrayItem[] = [{ label: label(pattern, text), action: null }];
  if (engine && promptIn(engine)) items.push({ label: words.answer, action: { do: 'open' } });
  // The first line says the one that is under way.
  const current =
    engine?.state === 'failed'
      ? engine.error.message
      : engine?.state === 'reconnecting'
        ? engine.because.message
        : undefined;
  const earlier = input.errors.filter((error) => error !== current);
  for (const error of earlier) items.push({ label: label(words.lastError, error), action: { do: 'open' } });
  const pressable = commands(input, engine);
  items.push(SEPARATOR, ...pressable, ...(pressable.length > 0 ? [SEPARATOR] : []));
  items.push({ label: words.open, action: { do: 'open' } }, { label: words.quit, action: { do: 'quit' } });
  return { icon, tooltip: fitted(fill('Culvert: {0}', pattern), text, LONGEST_TOOLTIP), items };
}

function commands({ supervisor, profiles, words }: TrayInput, engine: EngineState | null): readonly TrayItem[] {
  if (!engine)
    return supervisor.state === 'refused' || supervisor.state === 'waiting'
      ? [{ label: words.retry, action: { do: 'retry' } }]
      : [];
  const connect = (pattern: string, names: readonly string[]): readonly TrayItem[] =>
    names.map((profile) => ({ label: `${pattern}: ${profile}`, action: { do: 'connect', profile } }));
  switch (engine.state) {
    case 'connecting':
    case 'reconnecting':
    case 'connected': {
      const up = engine.state === 'connected';
      const held = engine.state === 'reconnecting' && engine.held;
      return [
        ...(up ? [{ label: engine.profile, action: null, checked: true }] : []),
        ...(held ? [{ label: words.retry, action: { do: 'connect', profile: engine.profile } } as const] : []),
        { label: up || held ? words.disconnect : words.cancel, action: { do: 'disconnect' } },
        ...connect(
          words.change,
          profiles.filter((name) => name !== engine.profile),
        ),
      ];
    }
    case 'disconnecting':
      return [];
    case 'disconnected':
    case 'failed':
      return profiles.length > 0 ? connect(words.connect, profiles) : [{ label: words.noProfiles, action: null }];
  }
}

/** It waits for a person's answer. */
const promptIn = (engine: EngineState): boolean =>
  (engine.state === 'connecting' || engine.state === 'connected') && engine.prompt !== undefined;

interface Look {
  readonly icon: TrayIcon;
  readonly text: string;
}

function engineLook(engine: EngineState, words: Words): Look {
  switch (engine.state) {
    case 'disconnected':
      return { icon: 'off', text: words.disconnected };
    case 'connecting':
      return { icon: 'busy', text: fill(promptIn(engine) ? words.asking : words.connecting, engine.profile) };
    case 'connected':
      return { icon: 'on', text: fill(words.connected, engine.profile) };
    case 'reconnecting':
      return engine.held
        ? { icon: 'problem', text: fill(words.held, engine.profile, engine.because.message) }
        : { icon: 'busy', text: fill(words.reconnecting, engine.profile, engine.because.message) };
    case 'disconnecting':
      return { icon: 'busy', text: fill(words.disconnecting, engine.profile) };
    case 'failed':
      return { icon: 'problem', text: fill(words.failed, engine.profile, engine.error.message) };
  }
}

function supervisorLook(supervisor: SupervisorState, words: Words): Look {
  switch (supervisor.state) {
    case 'attaching':
    case 'starting':
    case 'attached':
      return { icon: 'busy', text: words.starting };
    case 'waiting':
    case 'refused':
      return { icon: 'problem', text: fill(words.unreachable, supervisor.because.message) };
  }
}

/** One line of a menu: the window has the rest. */
const LONGEST_LABEL = 160;
const label = (pattern: string, text: string): string => fitted(pattern, text.replace(/\s+/g, ' '), LONGEST_LABEL);

/** Only what varies is cut: that the kill switch holds traffic back, which comes last, is always said. */
const fitted = (pattern: string, text: string, most: number): string =>
  fill(pattern, shorten(text, most - fill(pattern, '').length));

function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  // No half of a pair (an emoji, say) at the end.
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
