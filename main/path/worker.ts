// Entry of a data plane worker. Its workerData says which direction(s) it serves.
import { parentPort, workerData } from 'node:worker_threads';
import { createCoreSync } from '../core/core.ts';
import { warmCore } from '../core/warm.ts';
import { libc } from '../native/libc.ts';
import { runLoop } from './loop.ts';
import type { FromWorker, WorkerData } from './messages.ts';
import { shared } from './shared.ts';

if (!parentPort) throw new Error('main/path/worker is started by main/path/start, as a worker thread');

const { role, buffer, eventfd, clockOffset, module } = workerData as WorkerData;
warmCore(module);
const core = createCoreSync(module);
try {
  parentPort.postMessage({ kind: 'ready' } satisfies FromWorker);
  runLoop({ role, core, calls: libc(), shared: shared(buffer), port: parentPort, eventfd, clockOffset });
} finally {
  // Keys are wiped however the loop ended.
  core.close();
  parentPort.close();
}
