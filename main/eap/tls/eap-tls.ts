// EAP-TLS (RFC 5216; with TLS 1.3, RFC 9190): both ends show certificates, and nothing goes inside but, in TLS 1.3, one zero
// byte by which the server says that the handshake is all (RFC 9190 §2.1.1).
import { EapError, eapProtocol } from '../error.ts';
import { EAP_TYPE } from '../packet.ts';
import type { TlsEngine } from './engine.ts';
import { tlsMsk } from './keys.ts';
import type { InsideStep, PeerInside } from './peer.ts';
import type { InsideServerStep, ServerInside } from './server.ts';

const EMPTY = new Uint8Array(0);
/** RFC 9190 §2.1.1. */
const COMMITMENT = Uint8Array.of(0);

export class EapTlsInside implements PeerInside {
  #complete = false;

  async turn(data: Uint8Array, engine: TlsEngine): Promise<InsideStep> {
    const committed = data.length === 1 && data[0] === COMMITMENT[0];
    if (data.length > 0 && !committed) return { kind: 'fail', error: eapProtocol('data inside EAP-TLS') };
    // In TLS 1.2 the server's Finished, which has come, is its last word.
    this.#complete ||= committed || engine.version === 'TLSv1.2';
    return { kind: 'say', plain: EMPTY };
  }

  get complete(): boolean {
    return this.#complete;
  }

  refusal(): EapError {
    return new EapError({
      reason: 'client-certificate',
      message: 'the gateway did not accept our certificate',
      remedy:
        'check that the certificate in the profile is the one that the gateway knows for this user, and has not expired or been revoked',
    });
  }

  msk(engine: TlsEngine): Uint8Array {
    return tlsMsk(engine, EAP_TYPE.tls);
  }

  close(): void {}
}

export class EapTlsServerInside implements ServerInside {
  readonly #identity: string;

  constructor(identity: string) {
    this.#identity = identity;
  }

  async opening(): Promise<Uint8Array> {
    return COMMITMENT;
  }

  async turn(data: Uint8Array, engine: TlsEngine): Promise<InsideServerStep> {
    if (data.length > 0) return { kind: 'failure', because: 'data inside EAP-TLS' };
    const name = commonName(engine.certificate?.subject ?? '');
    return { kind: 'success', msk: tlsMsk(engine, EAP_TYPE.tls), identity: name ?? this.#identity };
  }

  close(): void {}
}

/** Of a subject as Node writes it: a line for each RDN. */
const commonName = (subject: string): string | undefined => /^CN=(.*)$/m.exec(subject)?.[1];
