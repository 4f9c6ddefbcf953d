// What an IKE SA asks of the world outside it, because it takes time, a person, or a key that never leaves its store: effect
// `ask`, and later one event `answer` with the same id. While a question is open the SA sends nothing that depends on it. An
// answer to a question that is closed by then (the SA has ended) is ignored.
import type { SignatureScheme } from '../crypto/signature.ts';
import type { IkeError } from './error.ts';
import type { Identity } from './identity.ts';
import type { Puzzle } from './puzzle.ts';

/** Certificates as they cross the wire: DER, the end entity's first, then intermediates in any order. */
export type CertificateChain = readonly Uint8Array[];

export type IkeQuestion =
  /** AUTH by signature (RFC 7296 §2.15, RFC 7427 §3): sign `octets` with the private key of our certificate `certificate`. */
  | {
      readonly kind: 'sign';
      readonly scheme: SignatureScheme;
      readonly octets: Uint8Array;
      /** DER. */
      readonly certificate: Uint8Array;
    }
  /**
   * Did the holder of `chain[0]` sign `octets`, does the chain lead to an authority that we trust, is it good now, and may it
   * call itself `identity`? `scheme` is the AUTH payload's. `expected`: the certificate must be good for this name too, which
   * is the one that we wanted to reach. An empty chain: the peer takes its certificate for known.
   */
  | {
      readonly kind: 'verify';
      readonly scheme: SignatureScheme;
      readonly octets: Uint8Array;
      readonly signature: Uint8Array;
      readonly chain: CertificateChain;
      readonly identity: Identity;
      readonly expected?: Identity | undefined;
    }
  /**
   * An EAP packet of the other end's (RFC 3748 §4), for our method; on the initiator a Request, Success or Failure.
   * `gatewayProven` (initiator): the gateway has proved itself already; without it only methods that authenticate both ends may
   * go on (RFC 5998 §4). `round`: 0, or 1 in a second authentication (RFC 4739), which is another EAP conversation.
   */
  | {
      readonly kind: 'eap';
      readonly packet: Uint8Array;
      readonly gatewayProven: boolean;
      readonly round: number;
    }
  /** Find four keys (RFC 8019); work of seconds, to be done beside everything else. */
  | { readonly kind: 'puzzle'; readonly puzzle: Puzzle }
  /** Begin EAP as the authenticator with the peer that calls itself so. */
  | { readonly kind: 'eap-begin'; readonly identity: Identity; readonly round: number };

export type IkeAnswer =
  | { readonly kind: 'signed'; readonly signature: Uint8Array }
  | { readonly kind: 'verified' }
  /** The four keys one behind the other. */
  | { readonly kind: 'solved'; readonly solution: Uint8Array }
  /**
   * The EAP packet to send. `msk` once the method has derived it (64 bytes, RFC 3748 §7.10; whoever takes it wipes it);
   * undefined in a method that makes no keys. Our own state has nothing to send: an empty packet.
   */
  | {
      readonly kind: 'eap';
      readonly packet: Uint8Array;
      readonly state: 'under-way' | 'success' | 'failure';
      readonly msk?: Uint8Array | undefined;
      /** With `failure`: why, in words. `packet` is sent first where it is not empty. */
      readonly error?: IkeError | undefined;
      /** Authenticator only: who the peer is by EAP (RFC 5998, RFC 7296 §2.16). */
      readonly identity?: string | undefined;
    }
  | { readonly kind: 'failed'; readonly error: IkeError };
