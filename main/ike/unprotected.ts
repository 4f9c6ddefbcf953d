// Errors that a peer, or anybody, sends outside the protection of an IKE SA (RFC 7296 §2.21). They are hints at most.
import { isWireError } from '../wire/error.ts';
import { crashTokensIn } from './crash-token.ts';
import { decodeMessage } from './message.ts';
import { errorNotifyIn } from './notifies.ts';

/** The crash tokens that a message in the clear shows (RFC 6290 §4.5). */
export function shownTokens(bytes: Uint8Array): readonly Uint8Array[] {
  const message = decodeMessage(bytes);
  return isWireError(message) ? [] : crashTokensIn(message.payloads);
}

/** A message in the clear that says nothing but an error: its type. */
export function unprotectedError(bytes: Uint8Array): number | undefined {
  const message = decodeMessage(bytes);
  if (isWireError(message) || message.payloads.some((payload) => payload.kind === 'encrypted')) return undefined;
  return errorNotifyIn(message.payloads)?.type;
}
