// What the demo makes outside itself carries its process number in its name, so that a later demo finds what one that was
// killed has left.

/** Of network namespaces and of temporary directories. */
export const PREFIX = 'culvert-demo-';

export function ownName(what: string): string {
  return `${PREFIX}${process.pid}-${what}`;
}

export function ofThisProcess(name: string): boolean {
  return name.startsWith(`${PREFIX}${process.pid}-`);
}

/** Whether a demo that is gone made this. */
export function isLeftover(name: string): boolean {
  const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
  return pid !== undefined && !lives(Number(pid));
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
