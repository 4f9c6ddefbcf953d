// What a responder is told: who may come in and how they prove it, what they get, and how it defends itself.
import type { Address, Endpoint } from '../wire/address.ts';
import type { Selector } from '../wire/selector.ts';
import type { ChildMode } from './child-sa.ts';
import type { AddressLease } from './configuration.ts';
import type { SignatureCredential } from './credential.ts';
import type { Identity } from './identity.ts';
import type { GatewayName } from './redirect.ts';
import type { Refuses } from './task/child-policy.ts';
import type { LifetimePolicy, RetransmissionPolicy } from './timing.ts';

/** What a responder demands in one round of IKE_AUTH, and takes. */
export type AuthenticationKind = 'psk' | 'signature' | 'eap';

export interface ResponderAuthentication {
  /** How we prove ourselves; `psk`: with the secret of the peer's name. */
  readonly credential: { readonly kind: 'psk' } | SignatureCredential;
  /** What each peer has to do, one round after another (RFC 4739 when there are two): any of the kinds named. */
  readonly rounds: readonly (readonly AuthenticationKind[])[];
  /** SHA-1 hashes of the SubjectPublicKeyInfo of the authorities of peers' certificates, for CERTREQ. */
  readonly authorities: readonly Uint8Array[];
  /** Take EAP_ONLY_AUTHENTICATION from who asks for it (RFC 5998). */
  readonly eapOnly?: boolean | undefined;
  /** RFC 8784: the key of this PPK_ID for this peer; `required`: nobody gets in without. */
  readonly ppk?:
    | {
        readonly of: (id: Uint8Array, peer: Identity) => Uint8Array | undefined;
        readonly required: boolean;
      }
    | undefined;
  /** Seconds until a peer has to authenticate anew (RFC 4478). */
  readonly lifetimeSeconds?: number | undefined;
  /** Take IKE SAs without a CHILD SA (RFC 6023). */
  readonly childless?: boolean | undefined;
}

export interface ResponderMobike {
  /** Where else we can be reached (RFC 4555 §3.4). */
  readonly additionalAddresses?: readonly Address[] | undefined;
  /** May a peer move there? undefined: anywhere. Asked with where its request came from and arrived. */
  readonly accepts?: ((from: Endpoint, local: Endpoint) => boolean) | undefined;
}

export interface ResponderConfig {
  /** undefined: pre-shared keys both ways. */
  readonly authentication?: ResponderAuthentication | undefined;
  readonly identity: Identity;
  /** Secret of the peer that names itself so; undefined: unknown peer (answered like a wrong secret). */
  readonly secretOf: (peer: Identity) => Uint8Array | undefined;
  readonly proposals: readonly string[];
  readonly childProposals: readonly string[];
  /** Take ciphers that encrypt nothing. For tests: no configuration can say so. */
  readonly unencrypted?: boolean | undefined;
  /** Modes accepted. */
  readonly modes: readonly ChildMode[];
  /** The widest selectors the responder agrees to; `remote` follows the lease where one was given. */
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[] | 'lease' | 'any';
  /** What selectors cannot say of what is carried here: answered with TS_UNACCEPTABLE. */
  readonly refuses?: Refuses | undefined;
  readonly lease: (peer: Identity, families: readonly (4 | 6)[]) => AddressLease | undefined;
  /** Called once for every lease given, when its IKE SA ends or could not be completed. */
  readonly release?: (peer: Identity, lease: AddressLease) => void;
  readonly encapsulation: 'udp' | 'auto';
  /** Ask for a cookie (RFC 7296 §2.6) once this many half-open SAs exist; 0: always; Infinity: never. */
  readonly cookieThreshold: number;
  readonly retransmission: RetransmissionPolicy;
  readonly livenessInterval: number;
  /** As in InitiatorConfig. */
  readonly fragmentSizes?: readonly number[] | undefined;
  /** Where to send peers that can be sent (RFC 5685): on their first message, or once they are authentic. */
  readonly redirect?:
    | {
        readonly atOnce?: ((from: Endpoint) => GatewayName | undefined) | undefined;
        readonly authenticated?: ((peer: Identity) => GatewayName | undefined) | undefined;
      }
    | undefined;
  /** Seconds that a ticket for resumption is good for (RFC 5723); undefined: none are given. */
  readonly ticketLifetime?: number | undefined;
  /** Secrets for crash tokens, the newest first; they have to survive a restart (RFC 6290 §5.1). Not wiped here. */
  readonly crashSecrets?: readonly Uint8Array[] | undefined;
  /** Ask for solved puzzles too (RFC 8019), once `threshold` half-open SAs exist; `auth`: zero bits for a second one in IKE_AUTH. */
  readonly puzzle?:
    | { readonly threshold: number; readonly difficulty: number; readonly auth?: number | undefined }
    | undefined;
  /** undefined: nothing is ever replaced because of time. */
  readonly lifetime?: LifetimePolicy | undefined;
  /** As in ChildRequest. */
  readonly pfs?: 'required' | 'preferred' | undefined;
  /** Take part in MOBIKE with who does (RFC 4555); undefined: no. */
  readonly mobike?: ResponderMobike | undefined;
  /** CHILD SAs that one IKE SA may have, rekeying apart; undefined: 4. */
  readonly mostChildren?: number | undefined;
}
