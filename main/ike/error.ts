// Why an IKE SA could not be made or was lost: a closed union of codes, each message naming what happened, the likely
// cause and what to do.
import type { Algorithms } from '../crypto/algorithms.ts';

export type IkeErrorCode =
  /** No answer to IKE_SA_INIT, or to a later request after all retransmissions. */
  | 'no-response'
  /** The answers do not add up to IKEv2 (malformed beyond recovery). */
  | 'protocol'
  /** NO_PROPOSAL_CHOSEN for the IKE SA / for the CHILD SA. */
  | 'no-ike-proposal'
  | 'no-child-proposal'
  /** AUTHENTICATION_FAILED from the peer: it did not accept us. */
  | 'refused-by-peer'
  /** The peer's AUTH does not verify: it does not know the secret, or is not who it claims. */
  | 'peer-not-authentic'
  | 'peer-identity-mismatch'
  /** The two ends want different ways of authentication: what we have, the peer does not take, or the other way round. */
  | 'authentication-mismatch'
  /** EAP did not authenticate us, or the gateway's half of it not the gateway; an EapError (main/eap/error.ts), which says why. */
  | 'eap'
  /** TS_UNACCEPTABLE, INTERNAL_ADDRESS_FAILURE, FAILED_CP_REQUIRED, SINGLE_PAIR_REQUIRED. */
  | 'traffic-selectors'
  | 'no-address'
  /** The peer cannot or will not do transport mode. */
  | 'mode-refused'
  /** Any other error notify, by its number and name. */
  | 'peer-error'
  /** The data plane could not install the SA. */
  | 'data-plane'
  /** Misconfiguration that only shows when it is used, e.g. an unknown proposal. */
  | 'configuration';

/** What we offered, and what the peer told of what it accepts: nothing, as a rule. */
export interface Disagreement {
  readonly offered: Algorithms;
  readonly accepted: Algorithms;
}

export interface IkeErrorData {
  readonly code: IkeErrorCode;
  readonly message: string;
  /** Likely cause and what to do, for the person in front of it. */
  readonly remedy: string;
  /** The notify message type that the peer sent, where it sent one. */
  readonly notify?: { readonly type: number; readonly name: string };
  /** Exchange in which it happened: "IKE_SA_INIT", "IKE_AUTH", … */
  readonly exchange?: string;
  /** Where the two ends do not agree on algorithms. */
  readonly disagreement?: Disagreement | undefined;
}

export class IkeError extends Error {
  override readonly name = 'IkeError';
  readonly code: IkeErrorCode;
  readonly remedy: string;
  readonly notify: { readonly type: number; readonly name: string } | undefined;
  readonly exchange: string | undefined;
  readonly disagreement: Disagreement | undefined;

  constructor(data: IkeErrorData) {
    super(data.message);
    this.code = data.code;
    this.remedy = data.remedy;
    this.notify = data.notify;
    this.exchange = data.exchange;
    this.disagreement = data.disagreement;
  }
}
