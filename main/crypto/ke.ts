// Every key-exchange method that we have. What one is: ke-method.ts; a file for each kind of them.
import { ECP_256, ECP_384, ECP_521 } from './ke-ecp.ts';
import type { KeyExchange } from './ke-method.ts';
import { ML_KEM_512, ML_KEM_768, ML_KEM_1024 } from './ke-mlkem.ts';
import { MODP_1024, MODP_1536, MODP_2048, MODP_3072, MODP_4096 } from './ke-modp.ts';
import { X448, X25519 } from './ke-montgomery.ts';

export { isKeError, KeError, type KeInitiator, type KeResponse, type KeyExchange } from './ke-method.ts';

export const KEY_EXCHANGES: readonly KeyExchange[] = [
  ECP_256,
  X25519,
  ECP_384,
  ECP_521,
  X448,
  MODP_2048,
  MODP_3072,
  MODP_4096,
  ML_KEM_768,
  ML_KEM_1024,
  ML_KEM_512,
];

/** For old gateways; no proposal names them unless it is asked for (policy.ts). */
export const LEGACY_KEY_EXCHANGES: readonly KeyExchange[] = [MODP_1536, MODP_1024];

/** The key exchange with that number, where we have it. */
export const keyExchangeOf = (id: number): KeyExchange | undefined =>
  KEY_EXCHANGES.find((ke) => ke.id === id) ?? LEGACY_KEY_EXCHANGES.find((ke) => ke.id === id);
