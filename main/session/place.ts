// Where this computer is, towards one address of the gateway: the sockets in use and, for a while after it has gone elsewhere,
// those of the place before, since the gateway sends there until it has heard (RFC 4555 §3.5).
//
//   enter ─▶ sockets ── enter elsewhere ─▶ the place before ── LEFT_AFTER, or elsewhere again ─▶ closed

import { createTurns } from '../net/in-turn.ts';
import type { TunnelSocket } from '../net/socket/api.ts';
import type { Timer } from './clock.ts';
import type { SessionDeps } from './deps.ts';
import type { IkeSockets } from './sockets.ts';
import { createUndoStack, type UndoStack } from './undo.ts';

/** Milliseconds that the sockets of a place are kept after it was left: the gateway has heard by then, or never. */
export const LEFT_AFTER = 10_000;

export interface Place {
  /** null before the first enter. */
  readonly sockets: IkeSockets | null;
  /** The IKE socket with this descriptor, here or at the place before. */
  find(fd: number): TunnelSocket | undefined;
  /** `open` opens sockets and says how to close them. Where it rejects, everything stays as it was. One after another, in the order of the calls. */
  enter(open: (undo: UndoStack) => Promise<IkeSockets>): Promise<IkeSockets>;
  /** Closes all of them. Never rejects. */
  close(): Promise<void>;
}

/** `check` throws once nothing may be put up any more. */
export function createPlace(deps: SessionDeps, check: () => void): Place {
  let sockets: IkeSockets | null = null;
  let undo = createUndoStack(deps);
  let before: { readonly sockets: IkeSockets; readonly undo: UndoStack; readonly timer: Timer } | null = null;

  const inTurn = createTurns();

  async function leave(): Promise<void> {
    const gone = before;
    before = null;
    gone?.timer.cancel();
    await gone?.undo.unwind();
  }

  async function enter(open: (undo: UndoStack) => Promise<IkeSockets>): Promise<IkeSockets> {
    await leave();
    check();
    if (!sockets) {
      sockets = await open(undo);
      check();
      return sockets;
    }
    const there = createUndoStack(deps);
    let opened: IkeSockets;
    try {
      opened = await open(there);
      check();
    } catch (error) {
      await there.unwind();
      throw error;
    }
    const timer = deps.clock.setTimer(deps.clock.now() + LEFT_AFTER, () => void leave());
    before = { sockets, undo, timer };
    undo = there;
    sockets = opened;
    return opened;
  }

  return {
    get sockets() {
      return sockets;
    },
    find: (fd) =>
      [sockets?.ike, sockets?.natt, before?.sockets.ike, before?.sockets.natt].find((socket) => socket?.fd === fd),
    enter: (open) => inTurn(() => enter(open)),
    async close() {
      await leave();
      await undo.unwind();
    },
  };
}
