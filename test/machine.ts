// What a machine must have for a test, as a reason to skip where it has not.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

export const NOT_ROOT = process.getuid?.() === 0 ? undefined : 'needs root';

/** Tests that act as another user run this checkout as that user: every folder on the way must let others in. */
export function closedToOthers(path: string): string | undefined {
  for (let place = path; ; place = dirname(place)) {
    const need = place === path ? 0o4 : 0o1;
    if ((statSync(place).mode & need) === 0) return `${place} is closed to other users`;
    if (place === dirname(place)) return undefined;
  }
}
