// What an EAP method is to the peer and the authenticator that run it (RFC 3748 §2.2: the EAP method layer). A method sees
// the Type-Data alone; code, identifier and type are the layer below.
import type { EapError } from './error.ts';

export type PeerMethodStep =
  | { readonly kind: 'respond'; readonly data: Uint8Array }
  /** It cannot go on. `data`: last words to the server (an alert, an acknowledgement), after which its Failure is awaited. */
  | { readonly kind: 'fail'; readonly error: EapError; readonly data?: Uint8Array | undefined };

export interface PeerMethod {
  readonly type: number;
  /** A Request's Type-Data. Throws an EapError where persons were asked in vain. */
  process(data: Uint8Array, identifier: number): Promise<PeerMethodStep>;
  /** A Success would be right now: the server has proved what it can prove, and we have answered. */
  readonly complete: boolean;
  /** What a Failure at this point means. */
  refusal(): EapError;
  /** A copy of the 64 bytes of MSK once complete; undefined: the method makes no key. */
  msk(): Uint8Array | undefined;
  close(): void;
}

export type ServerMethodStep =
  | { readonly kind: 'request'; readonly data: Uint8Array }
  | { readonly kind: 'success'; readonly msk: Uint8Array | undefined; readonly identity: string }
  | { readonly kind: 'failure'; readonly because: string }
  /** Not an answer that fits: the last Request comes again. */
  | { readonly kind: 'ignore' };

export interface ServerMethod {
  readonly type: number;
  /** The first Request's Type-Data. */
  begin(identifier: number): Promise<Uint8Array>;
  /** A Response's Type-Data. `next`: the identifier that a following Request will have. */
  process(data: Uint8Array, next: number): Promise<ServerMethodStep>;
  close(): void;
}
