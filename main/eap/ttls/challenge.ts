// What both ends of EAP-TTLS take from the TLS keys in place of a challenge sent (RFC 5281 §11.1; with TLS 1.3, RFC 9427 §2.2).
import type { TlsEngine } from '../tls/engine.ts';

export interface ImplicitChallenge {
  /** 16 bytes. */
  readonly challenge: Uint8Array;
  readonly identifier: number;
}

export function implicitChallenge(engine: TlsEngine): ImplicitChallenge {
  const bytes = engine.exportKey(17, 'ttls challenge');
  return { challenge: bytes.slice(0, 16), identifier: bytes[16]! };
}
