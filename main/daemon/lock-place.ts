// Where the lock of an engine is (lock.ts), for whoever only looks.
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export const RUN_DIRECTORY = '/run/culvert';

/** "4026531840": the kernel's number for this process's network namespace. */
export function namespaceOf(): string | undefined {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0];
  } catch {
    return undefined;
  }
}

export const lockPath = (directory: string, namespace: string): string => join(directory, `engine-${namespace}.lock`);

/** Whether the lock of this network namespace is there. Where no engine answers, one was killed. False too where one may not look. */
export function hasLock(directory = RUN_DIRECTORY): boolean {
  const namespace = namespaceOf();
  return namespace !== undefined && existsSync(lockPath(directory, namespace));
}
