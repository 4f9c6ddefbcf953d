// What nobody waits for: where it fails, a line in the log says so, and the session goes on.
import type { SessionDeps } from './deps.ts';
import { reasonText } from './failure.ts';

export function quietly({ log }: Pick<SessionDeps, 'log'>, what: string, doing: Promise<unknown>): void {
  doing.catch((error: unknown) => log({ level: 'warn', area: 'session', text: `${what}: ${reasonText(error)}` }));
}
