// From a connection to a caller: the kernel's word on who opened it decides what it may do.
import type { Socket } from 'node:net';
import type { Caller } from '../ipc/server.ts';
import { peerCredentials } from '../native/peer-credentials.ts';

/** Node keeps the descriptor of a socket in its handle; it has no public name. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
  return handle?.fd ?? -1;
}

/**
 * Root, and whoever the engine itself runs as (who could do anything to it anyway), is an administrator; anybody else whom
 * the socket's permissions let in is a user; somebody of whom the kernel says nothing is a user without settings.
 */
export function identify(socket: Socket): Caller {
  const uid = peerCredentials(descriptorOf(socket))?.uid;
  if (uid === undefined) return { role: 'user', uid: null };
  return { role: uid === 0 || uid === process.getuid?.() ? 'administrator' : 'user', uid };
}
