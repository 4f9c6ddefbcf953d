// Entry of a data plane worker. Its workerData says which direction(s) it serves.
import { parentPort, workerData } from 'node:worker_threads';
import { createCoreSync } from '../core/core.ts';
import { warmCore } from '../core/warm.ts';
import { libc } from '../native/libc.ts';
import { Loop, type LoopOptions } from './loop.ts';
import type { FromWorker, WorkerData } from './messages.ts';
import { schedulePromptly } from './prompt.ts';
import { Rehearsal } from './rehearsal.ts';
import { shared } from './shared.ts';
import { work } from './work.ts';

if (!parentPort) throw new Error('main/path/worker is started by main/path/start, as a worker thread');

const { role, buffer, eventfd, clockOffset, module } = workerData as WorkerData;
warmCore(module);
schedulePromptly(libc());
const core = createCoreSync(module);
try {
  parentPort.postMessage({ kind: 'ready' } satisfies FromWorker);
  const options: LoopOptions = {
    role,
    core,
    calls: libc(),
    shared: shared(buffer),
    port: parentPort,
    eventfd,
    clockOffset,
  };
  work(
    () => new Loop(options),
    () => Rehearsal.open(options, module),
    undefined,
    // Compilers of scripts and WebAssembly have left malloc a lot that it would keep: 7 MiB of the engine's.
    () => options.calls.trim(),
  );
} finally {
  // Keys are wiped however the loop ended.
  core.close();
  parentPort.close();
}
