// What the person wants: connected to this profile, or not. It outlives the engine and, in a file, the shell; after a crash
// the supervisor's new engine is told it again. Whoever connects or disconnects (this shell, the page, the command line)
// changes it; a dying engine does not.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EngineState } from '../ipc/contract.ts';

export type Intent = { readonly want: 'down' } | { readonly want: 'up'; readonly profile: string };

export interface IntentStore {
  read(): Intent;
  write(intent: Intent): void;
}

/** A file that cannot be read means `down`: never connect by mistake. Replaced whole, so that a crash leaves old or new. */
export function intentFile(path: string): IntentStore {
  let kept: Intent = load(path);
  return {
    read: () => kept,
    write(intent) {
      if (JSON.stringify(intent) === JSON.stringify(kept)) return;
      kept = intent;
      try {
        mkdirSync(dirname(path), { recursive: true });
        const beside = `${path}.new`;
        writeFileSync(beside, JSON.stringify(intent), { mode: 0o600 });
        renameSync(beside, path);
      } catch {
        // A full disk, say. It holds as long as this shell lives; an older wish must not come true after it.
        forget(path);
      }
    },
  };
}

function forget(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Then nothing there can be changed.
  }
}

function load(path: string): Intent {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && 'want' in value && value.want === 'up' && 'profile' in value)
      if (typeof value.profile === 'string' && value.profile.length > 0) return { want: 'up', profile: value.profile };
  } catch {
    // As below.
  }
  return { want: 'down' };
}

/**
 * What a state that the engine shows says about the intent; undefined: nothing. `disconnected` does not say: a new engine
 * begins with it, and one that is stopped ends with it. `failed` ends the wish: trying again is the person's decision.
 */
export function intentOf(state: EngineState): Intent | undefined {
  switch (state.state) {
    case 'connecting':
    case 'connected':
    case 'reconnecting':
      return { want: 'up', profile: state.profile };
    case 'failed':
      return { want: 'down' };
    case 'disconnecting':
    case 'disconnected':
      return undefined;
  }
}
