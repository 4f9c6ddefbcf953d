// What a worker and the control thread share without messages: one SharedArrayBuffer per worker. The worker publishes
// its counters and times there (doubles, each written by one thread only); a flag tells it that commands wait.
//
//   Int32    [PENDING] commands posted and not yet taken    [IKE_IN_FLIGHT] ike events posted and not yet handled
//   Float64  [LAST_INBOUND] [LAST_OUTBOUND] [IO_*] [GRE_NEXT + tunnel] [CORE + index of main/core/counters.ts]
import { COUNTER_COUNT, TUNNELS } from '../../assembly/layout.ts';

export const PENDING = 0;
export const IKE_IN_FLIGHT = 1;
const FLAG_BYTES = 8;

export const LAST_INBOUND = 0;
export const LAST_OUTBOUND = 1;
export const IO_SEND_DROPPED = 2;
export const IO_NO_PEER = 3;
export const IO_TUN_DROPPED = 4;
export const IO_NO_TUN = 5;
export const IO_IKE_DROPPED = 6;
export const IO_TUN_READ = 7;
export const IO_TUN_WRITTEN = 8;
export const IO_INJECTED = 9;
export const IO_QUEUED = 10;
export const IO_QUEUE_DROPPED = 11;
export const IO_QUEUE_MARKED = 12;
export const IO_SENT = 13;
export const IO_RECEIVED = 14;
export const IO_RECEIVE_MARKED = 15;
export const IO_CUT_OFF = 16;
export const IO_DUE = 17;
export const IO_ARRIVED = 18;
export const GRE_NEXT = 19;
export const CORE = GRE_NEXT + TUNNELS;
const NUMBERS = CORE + COUNTER_COUNT;

export interface Shared {
  readonly buffer: SharedArrayBuffer;
  readonly flags: Int32Array;
  readonly numbers: Float64Array;
}

export function shared(buffer = new SharedArrayBuffer(FLAG_BYTES + NUMBERS * 8)): Shared {
  return { buffer, flags: new Int32Array(buffer, 0, 2), numbers: new Float64Array(buffer, FLAG_BYTES, NUMBERS) };
}
