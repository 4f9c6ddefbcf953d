// A suite that needs something of the machine (root, a peer's package). Where that is missing the suite's tests count as
// skipped and its name carries the reason, which test/reporter.ts prints; nothing is left out silently.
import { describe } from 'vitest';

export function live(name: string, missing: readonly (string | undefined)[], body: () => void): void {
  const reason = missing.find((word) => word !== undefined);
  if (reason === undefined) describe(name, body);
  else describe.skip(`${name} [skipped: ${reason}]`, body);
}
