// How soon the kernel lets a data plane's thread run once a packet is there. What a worker does at a time is short, but under load
// it shares its processor with the programs whose packets it carries, and a ping waits for four such threads in turn.
//
// Linux from 6.12 on (EEVDF) takes a thread's own wish for the length of its turns on the processor: shorter ones come sooner, at
// no greater share of it, so this needs no privilege. Older kernels ignore it, and where it is refused everything works as before,
// only later. (A greater share besides, nice -5, was tried: no better.)
import { getPriority } from 'node:os';
import type { Libc } from '../native/libc.ts';

/** A tenth of the kernel's own default on one or two processors, and still several batches long. */
const SLICE_NANOSECONDS = 300_000;

/** For the calling thread. `nice`: its share of the processor, which it keeps. */
export function schedulePromptly(calls: Pick<Libc, 'schedule'>, nice = getPriority()): void {
  calls.schedule(nice, SLICE_NANOSECONDS);
}
