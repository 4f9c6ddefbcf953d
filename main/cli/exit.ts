// How commands end: the exit code tells a script what kind of thing went wrong (docs/cli.md lists them).
import { EngineError } from '../ipc/error.ts';

export const Exit = {
  OK: 0,
  /** Anything without a code of its own. */
  FAILED: 1,
  /** The command line itself is wrong. */
  USAGE: 2,
  NOT_RUNNING: 3,
  NO_PERMISSION: 4,
  /** The profile is wrong, missing, or there already. */
  PROFILE: 5,
  /** The connection could not be made. */
  CONNECTION: 6,
  /** The engine is busy with another connection, or another engine runs. */
  BUSY: 7,
  INTERRUPTED: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof EngineError)) return Exit.FAILED;
  const { code } = error;
  switch (code) {
    case 'ipc/not-running':
      return Exit.NOT_RUNNING;
    case 'ipc/no-permission':
      return Exit.NO_PERMISSION;
    case 'ipc/already-running':
    case 'daemon/already-running':
    case 'daemon/busy':
    case 'daemon/in-use':
      return Exit.BUSY;
    case 'daemon/cancelled':
      return Exit.CONNECTION;
  }
  switch (code.split('/')[0]) {
    case 'profile':
      return Exit.PROFILE;
    case 'ike':
    case 'eap':
    case 'net':
    case 'session':
      return Exit.CONNECTION;
    default:
      return Exit.FAILED;
  }
}
