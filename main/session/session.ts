// One connection to one gateway, from the click to the last undo.

import type { EngineState } from '../ipc/contract.ts';
import type { Profile } from '../profile/profile.ts';
import type { Session, SessionDeps } from './deps.ts';

export type { Clock, Session, SessionDeps, SessionLog, Timer } from './deps.ts';

export function createSession(_profile: Profile, _deps: SessionDeps): Session {
  const state: EngineState = { state: 'disconnected', lastError: null };
  return {
    state,
    start() {
      throw new Error('not written yet');
    },
    stop: async () => {},
    on() {},
    traffic: () => null,
  };
}
