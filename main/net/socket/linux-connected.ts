// Waiting for a TCP connection that was begun without blocking (connect(2), EINPROGRESS), in this thread's event loop.
import { watch } from '../../native/libc.ts';

/** true: the attempt has ended, and SO_ERROR says how. false: `signal` came first. */
export function connectionEnded(fd: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (ended: boolean): void => {
      watching.close();
      signal.removeEventListener('abort', aborted);
      resolve(ended);
    };
    const aborted = (): void => done(false);
    // Called for a refusal too, with neither event.
    const watching = watch(fd, () => done(true));
    watching.wantWritable(true);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
  });
}
