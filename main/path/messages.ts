// What travels between the control thread and a worker besides what main/path/command.ts names.
import type { PathEvent, Peer, ReceiverCommand, SenderCommand } from './command.ts';

/** The receiver learns whom a tunnel talks to, so that it can tell when authenticated packets come from elsewhere. */
export type PeerNotice = { readonly kind: 'peer'; readonly tunnel: number; readonly peer: Peer };

export type ToWorker =
  | { readonly id: number; readonly to: 'sender'; readonly command: SenderCommand }
  | { readonly id: number; readonly to: 'receiver'; readonly command: ReceiverCommand | PeerNotice }
  | { readonly id: number; readonly to: 'loop'; readonly command: { readonly kind: 'quit' } };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ack'; readonly id: number; readonly error: string | null }
  | { readonly kind: 'event'; readonly event: PathEvent };

export type Role = 'sender' | 'receiver' | 'single';

export interface WorkerData {
  readonly role: Role;
  readonly module: WebAssembly.Module;
  readonly buffer: SharedArrayBuffer;
  readonly eventfd: number;
  /** Add to this process's monotonic clock (process.hrtime, ms) to get the control thread's performance.now(). */
  readonly clockOffset: number;
}

/** Milliseconds on the clock that all threads of a process share. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
