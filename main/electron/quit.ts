// When quitting asks, and what follows. Closing the window is not quitting: the tray stays.
import type { EngineState } from '../ipc/contract.ts';
import { fill, type Words } from './words.ts';

export type QuitChoice = 'quit' | 'disconnect' | 'cancel';

/** The profile that quitting would leave connected; null: nothing to ask. */
export function holdsConnection(engine: EngineState | null): string | null {
  switch (engine?.state) {
    case 'connecting':
    case 'connected':
    case 'reconnecting':
      return engine.profile;
    default:
      return null;
  }
}

const CHOICES: readonly QuitChoice[] = ['disconnect', 'quit', 'cancel'];

export function quitQuestion(profile: string, words: Words) {
  return {
    type: 'question' as const,
    message: fill(words.quitTitle, profile),
    detail: words.quitDetail,
    buttons: [words.quitDisconnect, words.quitStay, words.cancel],
    defaultId: 0,
    cancelId: 2,
    noLink: true,
  };
}

export const quitChoice = (button: number): QuitChoice => CHOICES[button] ?? 'cancel';
