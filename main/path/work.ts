// What a worker does until it is told to quit: it rehearses while there is nothing else to do (rehearsal.ts), then waits for
// packets, and once more rehearses a little right before one that is due (beat.ts). Real work always comes first.
import { Beat } from './beat.ts';
import type { Loop } from './loop.ts';
import type { Rehearsal } from './rehearsal.ts';

/** On a second stage all comes for the first time once more, as it will in earnest: V8 then keeps code that stands it. */
const STAGES = 2;
/**
 * Turns before the real loop is made. V8 lays objects out by what it has seen in their fields so far: code that was made good for
 * those of the stage would be thrown away at the sight of older ones.
 */
const GLANCE = 16;
/** Turns before a packet that is due: the first one finds everything cold, and takes most of the time. */
const WARMING = 2;

/** `openStage`: undefined where there is none to be had. `clock`: milliseconds, monotonic. `rehearsed`: what to do once then. */
export function work(
  makeLoop: () => Pick<Loop, 'turn'>,
  openStage: () => Pick<Rehearsal, 'goesOn' | 'step' | 'close'> | undefined,
  clock = () => performance.now(),
  rehearsed: () => void = () => {},
): void {
  let stage = openStage();
  try {
    for (let turn = 0; turn < GLANCE; turn++) stage?.step();
    const loop = makeLoop();
    for (let left = STAGES; ; ) {
      while (stage?.goesOn) {
        const outcome = loop.turn(0);
        if (outcome === 'quit') return;
        if (outcome === 'nothing') stage.step();
      }
      if (--left === 0) break;
      stage?.close();
      stage = openStage();
    }
    rehearsed();
    const beat = new Beat();
    for (let wait = -1; ; wait = beat.wait(clock())) {
      const outcome = loop.turn(wait);
      if (outcome === 'quit') return;
      const now = clock();
      if (outcome === 'worked') beat.came(now);
      else if (beat.wait(now) === 0) {
        for (let turn = 0; turn < WARMING; turn++) stage?.step();
        beat.ready();
      }
    }
  } finally {
    stage?.close();
  }
}
