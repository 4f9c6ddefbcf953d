// Which changes of state deserve a notification: those that the person did not just ask for. Stages in between never do.
import type { ContractError, EngineState } from '../ipc/contract.ts';
import type { Intent } from './intent.ts';
import { fill, type Words } from './words.ts';

export interface Notice {
  readonly title: string;
  readonly body: string;
}

/**
 * `asked`: the person asked for what is under way (cleared when it has come about). A connection that is lost and comes
 * back is told at both ends, once: the attempts in between are not.
 */
export function noticeOf(
  before: EngineState | null,
  after: EngineState,
  asked: Intent['want'] | null,
  words: Words,
): Notice | null {
  if (before === null) return null;
  const held = (state: EngineState): boolean => state.state === 'reconnecting' && state.held === true;
  if (before.state === after.state && held(before) === held(after)) return null;
  switch (after.state) {
    case 'reconnecting':
      if (after.held)
        return { title: fill(words.held, after.profile, after.because.message), body: after.because.remedy };
      // From a connection that is held to one that is tried again: somebody asked for it.
      if (before.state === 'reconnecting') return null;
      return {
        title: fill(words.reconnecting, after.profile, after.because.message),
        body: after.because.remedy,
      };
    case 'failed':
      return { title: fill(words.failed, after.profile, after.error.message), body: after.error.remedy };
    case 'connected':
      return asked === 'up' ? null : { title: fill(words.connected, after.profile), body: after.tunnel.gateway };
    case 'disconnected':
      return asked === 'down' || (after.lastError === null && before.state === 'failed')
        ? null
        : { title: words.disconnected, body: after.lastError?.message ?? '' };
    case 'connecting':
    case 'disconnecting':
      return null;
  }
}

/** The engine itself is gone; `engine` is the last that it said. What it held up is not protected any more until it is back. */
export function noticeOfLoss(engine: EngineState | null, because: ContractError, words: Words): Notice | null {
  if (engine?.state !== 'connected' && engine?.state !== 'reconnecting') return null;
  return { title: fill(words.lost, engine.profile), body: `${because.message} ${because.remedy}` };
}
