// How a conversation in IKE_AUTH ends when it does not end well.
import { IkeError, type IkeErrorCode } from '../error.ts';
import type { Payload } from '../payload/payload.ts';
import type { GatewayName } from '../redirect.ts';

export type End =
  /** The peer refused us: there is no IKE SA. */
  | { readonly kind: 'refused'; readonly error: IkeError }
  /** We refuse the peer, and tell it so (RFC 7296 §2.21.2). */
  | { readonly kind: 'distrusted'; readonly error: IkeError }
  /** It sends us to another gateway, and has proved that it may (RFC 5685 §6). */
  | { readonly kind: 'redirected'; readonly to: GatewayName }
  /** We cannot go on; `lastWord` is sent, if there is any, and nobody waits for an answer. */
  | { readonly kind: 'failed'; readonly error: IkeError; readonly lastWord: readonly Payload[] };

export const REPORT = 'this is a fault of either program: save the log and report it';

export function isEnd(value: unknown): value is End {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const { kind } = value;
  return kind === 'refused' || kind === 'distrusted' || kind === 'redirected' || kind === 'failed';
}

export const authError = (code: IkeErrorCode, message: string, remedy: string): IkeError =>
  new IkeError({ code, message, remedy, exchange: 'IKE_AUTH' });

export const distrusted = (code: IkeErrorCode, message: string, remedy: string): End => ({
  kind: 'distrusted',
  error: authError(code, message, remedy),
});

export const failed = (error: IkeError, lastWord: readonly Payload[] = []): End => ({
  kind: 'failed',
  error,
  lastWord,
});
