// What the tray shows, as a function of what is known: icon, tooltip, menu. It never says "connected" without an engine
// that says so at this moment.
import type { EngineState } from '../ipc/contract.ts';
import type { SupervisorState } from './supervisor.ts';
import { fill, type Words } from './words.ts';

export type TrayIcon = 'off' | 'busy' | 'on' | 'problem';

/** What pressing an item does. */
export type TrayAction =
  | { readonly do: 'open' | 'disconnect' | 'retry' | 'quit' }
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
  const shown = input.blocked.length > 0 && engine ? fill(words.blocked, text) : text;
  const items: TrayItem[] = [{ label: shown, action: null }];
  // The first line says the one that is under way.
  const current =
    engine?.state === 'failed'
      ? engine.error.message
      : engine?.state === 'reconnecting'
        ? engine.because.message
        : undefined;
  const earlier = input.errors.filter((error) => error !== current);
  for (const error of earlier) items.push({ label: fill(words.lastError, error), action: null });
  const pressable = commands(input, engine);
  items.push(SEPARATOR, ...pressable, ...(pressable.length > 0 ? [SEPARATOR] : []));
  items.push({ label: words.open, action: { do: 'open' } }, { label: words.quit, action: { do: 'quit' } });
  return { icon, tooltip: shorten(`Culvert: ${shown}`), items };
}

function commands({ supervisor, profiles, words }: TrayInput, engine: EngineState | null): readonly TrayItem[] {
  if (!engine)
    return supervisor.state === 'refused' || supervisor.state === 'waiting'
      ? [{ label: words.retry, action: { do: 'retry' } }]
      : [];
  switch (engine.state) {
    case 'connecting':
    case 'reconnecting':
      return [{ label: words.cancel, action: { do: 'disconnect' } }];
    case 'connected':
      return [
        { label: engine.profile, action: null, checked: true },
        { label: words.disconnect, action: { do: 'disconnect' } },
      ];
    case 'disconnecting':
      return [];
    case 'disconnected':
    case 'failed':
      return profiles.length > 0
        ? profiles.map((profile) => ({
            label: `${words.connect}: ${profile}`,
            action: { do: 'connect', profile },
          }))
        : [{ label: words.noProfiles, action: null }];
  }
}

interface Look {
  readonly icon: TrayIcon;
  readonly text: string;
}

function engineLook(engine: EngineState, words: Words): Look {
  switch (engine.state) {
    case 'disconnected':
      return { icon: 'off', text: words.disconnected };
    case 'connecting':
      return { icon: 'busy', text: fill(words.connecting, engine.profile) };
    case 'connected':
      return { icon: 'on', text: fill(words.connected, engine.profile) };
    case 'reconnecting':
      return { icon: 'busy', text: fill(words.reconnecting, engine.profile, engine.because.message) };
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

const shorten = (text: string): string =>
  text.length > LONGEST_TOOLTIP ? `${text.slice(0, LONGEST_TOOLTIP - 1)}…` : text;
