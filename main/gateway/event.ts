// What the gateway tells whoever started it.
import type { ClientInfo } from './clients.ts';

export type GatewayEvent =
  | { readonly kind: 'up'; readonly client: ClientInfo }
  | { readonly kind: 'down'; readonly client: ClientInfo; readonly reason: string }
  | { readonly kind: 'moved'; readonly client: ClientInfo }
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn'; readonly text: string }
  /** The data plane died: nothing works any more. Close, and start anew. */
  | { readonly kind: 'failed'; readonly message: string };
