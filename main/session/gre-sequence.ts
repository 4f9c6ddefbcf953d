// GRE sequence numbers over reconnections and restarts (RFC 2890 §2.2): a receiver whose tunnel stayed up discards numbers
// older than the last it saw, so starting again at 0 would black-hole everything. Numbers are therefore reserved ahead
// in steps and the reservation is stored before the first of them is used: after a crash the next run starts behind it.
// A gap harms nothing; a number used twice would.
import type { SessionLog } from './log.ts';

/** Where the first number that no earlier run can have used is kept, by profile. `save` may throw. */
export interface GreSequenceStore {
  load(profile: string): number | null;
  save(profile: string, next: number): void;
}

/** Numbers reserved at a time: at a million packets a second they last 16 s, and 256 crashes go once round 2^32. */
export const STEP = 2 ** 24;
/** Milliseconds between looks at what was used. */
export const LOOK_INTERVAL = 2_000;

const modulo = (value: number): number => ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;

export interface GreNumbers {
  /** The number to start with; reserves a step from there on. */
  take(): number;
  /** `next` is about to be used: reserves more when half a step is left. */
  used(next: number): void;
  /** Nothing at or above `next` has been used, and nothing is any more until take(). */
  settle(next: number): void;
  /** What has been used is not known: everything reserved counts as used. */
  lost(): void;
}

/** `store` undefined: numbers go on over reconnections of this session only. */
export function createGreNumbers(
  profile: string,
  store: GreSequenceStore | undefined,
  log: (entry: SessionLog) => void,
): GreNumbers {
  let next = modulo(store?.load(profile) ?? 0);
  let reserved = next;

  function save(until: number): void {
    reserved = modulo(until);
    try {
      store?.save(profile, reserved);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const text = `GRE sequence numbers could not be stored (${reason}): after a crash of the engine the gateway may discard packets until its tunnel is reset`;
      log({ level: 'warn', area: 'session', text });
    }
  }

  return {
    take: () => {
      save(next + STEP);
      return next;
    },
    used: (number) => {
      next = modulo(number);
      if (modulo(reserved - next) < STEP / 2 || modulo(reserved - next) > STEP) save(next + STEP);
    },
    settle: (number) => {
      next = modulo(number);
      save(next);
    },
    lost: () => {
      next = reserved;
    },
  };
}
