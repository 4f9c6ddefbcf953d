// The seam of EAP (RFC 3748): a peer that answers an IKE SA's question 'eap', and an authenticator that answers 'eap-begin'
// and 'eap' (ike/questions.ts). Packets in, packets out; no socket. Times and persons are behind the providers handed in.
//
//   gateway (authenticator)                       client (peer)
//   Request/Identity           ───────────────▶
//                              ◀───────────────   Response/Identity
//   Request/<method>           ───────────────▶
//                              ◀───────────────   Response/<method>, or Nak with the methods that it would take
//   …
//   Success or Failure         ───────────────▶
import type { RandomBytes } from '../crypto/random.ts';
import type { CertificateChain } from '../ike/questions.ts';
import type { EapError } from './error.ts';

/**
 * `tls`: RFC 5216, RFC 9190. `ttls`: RFC 5281. `peap`: PEAP version 0. `mschapv2`: draft-kamath-pppext-eap-mschapv2 over RFC
 * 2759. `gtc`, `otp`, `md5`: RFC 3748 §5.4-5.6; they make no key and prove nothing of the server.
 */
export type EapMethodName = 'tls' | 'ttls' | 'peap' | 'mschapv2' | 'gtc' | 'otp' | 'md5';

/** What goes through the tunnel of TTLS or PEAP; `pap` and `mschapv2` are TTLS's own attributes (RFC 5281 §11), the rest is EAP. */
export type EapInnerName = 'pap' | 'mschapv2' | 'eap-mschapv2' | 'eap-gtc' | 'eap-otp' | 'eap-md5' | 'eap-tls';

/** Where secrets come from: the profile, memory, or the person. They reject with an EapError where nobody can be asked, or in time. */
export interface EapSecrets {
  /**
   * `refused`: the last one was not right, and the server allows another now; whoever asks persons keeps count. null: cancelled,
   * or no other one.
   */
  password(request: { readonly refused: boolean }): Promise<string | null>;
  /** A one-time code. `prompt`: the server's words, made harmless, possibly empty. null: cancelled. */
  code(prompt: string): Promise<string | null>;
}

export interface EapTlsTrust {
  /** PEM certificates of the authorities that may have issued the server's; undefined: those that Node brings (system's and Mozilla's). */
  readonly authorities: readonly string[] | undefined;
  /** Names (DNS, or IP address) of which the server's certificate must have one. Empty: nothing matches. */
  readonly serverNames: readonly string[];
  /**
   * Asked in place of both, with the server's chain (DER, its own first) before anything is said inside: undefined, or why it is
   * not trusted. The server has shown that it holds the key.
   */
  readonly check?:
    | ((chain: CertificateChain) => Promise<{ readonly message: string; readonly remedy: string } | undefined>)
    | undefined;
}

export interface EapClientCertificate {
  /** PEM: ours first, then intermediates. */
  readonly certificate: string;
  /** PEM, unencrypted (PKCS #8, PKCS #1 or SEC 1). */
  readonly key: string;
}

export interface EapPeerConfig {
  /** Allowed ones, most wanted first; anything else is answered with Nak (RFC 3748 §5.3.1). */
  readonly methods: readonly EapMethodName[];
  /** "alice", "alice@example.com", "DOMAIN\\alice". */
  readonly username: string;
  /** Said in the clear instead, where the method then makes a tunnel (RFC 7542 calls for "@realm" or "anonymous@realm"). */
  readonly anonymousIdentity?: string | undefined;
  /** Allowed inside TTLS and PEAP, most wanted first. In TTLS the first decides between attributes and EAP. */
  readonly inner?: readonly EapInnerName[] | undefined;
  /** What the first question of EAP-GTC is answered with; later ones of the same conversation get a code. Default: password. */
  readonly gtc?: 'password' | 'code' | undefined;
  /** For tls, ttls and peap. */
  readonly trust?: EapTlsTrust | undefined;
  /** For EAP-TLS, outside or inside a tunnel; offered to TTLS and PEAP servers that ask for it too. */
  readonly clientCertificate?: EapClientCertificate | undefined;
  /** At most so many bytes in an EAP packet of a TLS method. Default 1024; at least 64. */
  readonly fragmentSize?: number | undefined;
  /**
   * The gateway has proved itself by its certificate (RFC 7296 §2.16). Otherwise (EAP-only, RFC 5998 §4) only tls, ttls and
   * peap run, whatever `methods` says.
   */
  readonly gatewayProven: boolean;
}

export interface EapPeerDeps {
  readonly random: RandomBytes;
  readonly secrets: EapSecrets;
  /** For the log; never a secret. */
  readonly log?: ((level: 'debug' | 'info' | 'warn', text: string) => void) | undefined;
}

/** An empty packet: there is nothing to send. */
export type EapPeerStep =
  | { readonly state: 'under-way'; readonly packet: Uint8Array }
  /** 64 bytes of MSK (RFC 3748 §7.10), copied: whoever takes it wipes it; undefined in a method that makes none. */
  | { readonly state: 'success'; readonly packet: Uint8Array; readonly msk: Uint8Array | undefined }
  | { readonly state: 'failure'; readonly packet: Uint8Array; readonly error: EapError };

export interface EapPeer {
  /**
   * A packet of the server's. Packets are taken one after another; the same Request again gets the same answer (RFC 3748
   * §4.1). Waits as long as a person takes to answer. Never rejects.
   */
  process(packet: Uint8Array): Promise<EapPeerStep>;
  /**
   * What this end knows to be wrong (a bad server certificate, say), where the gateway ends the exchange by a notify instead of
   * an EAP Failure.
   */
  readonly failure: EapError | undefined;
  /** Wipes keys and ends TLS. A `process` under way ends in failure or is of no consequence. */
  close(): void;
}

/** One account. null: unknown (the server goes on as if it were known, and refuses in the end). */
export interface EapAccount {
  readonly password: string;
  /** What is taken for EAP-GTC, OTP and PAP beside the password. */
  readonly acceptsCode?: ((code: string) => boolean) | undefined;
}

export interface EapServerConfig {
  /** Proposed in this order; a Nak moves on to one that the peer names (RFC 3748 §5.3.1). */
  readonly methods: readonly EapMethodName[];
  readonly inner?: readonly EapInnerName[] | undefined;
  readonly account: (identity: string) => EapAccount | null;
  /** Its own name in MSCHAPv2's challenge. */
  readonly name: string;
  /** Words before the field in EAP-GTC and OTP. */
  readonly prompt?: string | undefined;
  /** Ask for the identity; otherwise the first Request is the method's, for the identity handed to `begin`. */
  readonly askIdentity: boolean;
  readonly tls?:
    | {
        readonly certificate: string;
        readonly key: string;
        /** Authorities of client certificates, PEM: EAP-TLS demands one. */
        readonly clientAuthorities: readonly string[];
        readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
      }
    | undefined;
  readonly fragmentSize?: number | undefined;
  /** PEAP: bind the inner method to the tunnel. Default true. */
  readonly cryptobinding?: boolean | undefined;
  /** Wrong passwords in one conversation before Failure. Default 3. */
  readonly attempts?: number | undefined;
}

export interface EapServerDeps {
  readonly random: RandomBytes;
}

export type EapServerStep =
  | { readonly state: 'under-way'; readonly packet: Uint8Array }
  | {
      readonly state: 'success';
      readonly packet: Uint8Array;
      readonly msk: Uint8Array | undefined;
      /** Who the peer has proved to be: the inner identity where there is one. */
      readonly identity: string;
    }
  | { readonly state: 'failure'; readonly packet: Uint8Array; readonly because: string };

export interface EapServer {
  /** The first Request. `identity`: who IKE says is there (IDi), where the server does not ask. */
  begin(identity: string): Promise<EapServerStep>;
  /** A packet of the peer's. What is not the answer to the last Request is ignored: that Request comes back. Never rejects. */
  process(packet: Uint8Array): Promise<EapServerStep>;
  close(): void;
}
