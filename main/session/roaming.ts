// When to look at the network again: after the system has told of a change and has calmed down, and after sleep.
//
//   monitor ─▶ change ─▶ (wait SETTLE for more) ─▶ changed()
//   clock   ─▶ every TICK: has the wall clock gone ahead of the monotonic one? ─▶ resumed(), changed()
//
// The monotonic clock stands still while the machine sleeps (CLOCK_MONOTONIC on Linux), the other one does not. Somebody who sets the
// clock forward looks the same, and costs one sign of life.
import type { NetworkMonitor } from '../net/monitor/api.ts';
import type { Clock, Timer } from './clock.ts';
import type { SessionDeps } from './deps.ts';

/** Milliseconds: a change seldom comes alone (a link, its addresses, its routes). */
export const SETTLE = 250;
/** Milliseconds between two looks at routes and the like: where they change all the time, ours need not be looked at all the time. */
export const PAUSE = 2_000;
export const TICK = 5_000;
/** A jump of so many milliseconds is a sleep, and no correction of the clock. */
const SLEEP = 3_000;

export interface NetworkListener {
  changed(): void | Promise<void>;
  resumed(): void;
}

export interface NetworkWatcher {
  close(): void;
}

export function watchNetwork(
  deps: Pick<SessionDeps, 'log'> & { readonly clock: Clock; readonly monitor?: NetworkMonitor | undefined },
  listener: NetworkListener,
): NetworkWatcher {
  const { clock, monitor, log } = deps;
  let settling: { readonly timer: Timer; readonly at: number } | null = null;
  let ahead = clock.wall() - clock.now();
  let closed = false;
  let looked = Number.NEGATIVE_INFINITY;

  const watch = monitor?.watch((change) => {
    if (closed) return;
    // Addresses seldom change, and every moment counts then: packets go nowhere (RFC 4555 §3.5).
    const pause = change === 'address' ? 0 : PAUSE;
    const at = Math.max(clock.now() + SETTLE, looked + pause);
    if (settling && settling.at <= at) return;
    settling?.timer.cancel();
    const timer = clock.setTimer(at, () => {
      settling = null;
      looked = clock.now();
      listener.changed();
    });
    settling = { timer, at };
  });
  if (watch instanceof Error) log({ level: 'info', area: 'net', text: `${watch.message} ${watch.remedy}` });

  function tick(): void {
    const now = clock.wall() - clock.now();
    const slept = now - ahead;
    ahead = now;
    ticking = clock.setTimer(clock.now() + TICK, tick);
    if (slept < SLEEP) return;
    log({ level: 'info', area: 'session', text: `this computer slept for ${Math.round(slept / 1000)} s` });
    listener.resumed();
    listener.changed();
  }
  let ticking = clock.setTimer(clock.now() + TICK, tick);

  return {
    close() {
      closed = true;
      settling?.timer.cancel();
      ticking.cancel();
      if (watch && !(watch instanceof Error)) watch.close();
    },
  };
}
