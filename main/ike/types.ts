// The seam of the IKEv2 core: events in, effects out (sans-IO). `initiator.ts` and `responder.ts` implement IkePeer; the
// session, the gateway and the simulation drive it. No clock, no randomness, no socket in here: all are handed in.
import type { KeyObject } from 'node:crypto';
import type { SchemePolicy } from '../crypto/signature.ts';
import type { EspCipher, EspIntegrity } from '../crypto/suite.ts';
import type { Address, Endpoint, Prefix } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import type { Selector } from '../wire/selector.ts';
import type { IkeError } from './error.ts';
import type { CertificateChain, IkeAnswer, IkeQuestion } from './questions.ts';
import type { GatewayName } from './redirect.ts';
import type { ResumptionTicket } from './ticket.ts';

/** Milliseconds on a monotonic clock. */
export type Instant = number;

export type RandomBytes = (length: number) => Uint8Array;

/** An identity (RFC 7296 §3.5). */
export type Identity =
  | { readonly type: 'ipv4' | 'ipv6'; readonly address: Address }
  | { readonly type: 'fqdn' | 'rfc822'; readonly text: string }
  | { readonly type: 'key-id' | 'der-dn' | 'der-gn'; readonly bytes: Uint8Array };

/**
 * Which of the two UDP ports a datagram uses, or the TCP connection that stands for both (RFC 9329); on `natt` and `tcp` the non-ESP
 * marker is in front on the wire, never in `bytes`.
 */
export type Transport = 'ike' | 'natt' | 'tcp';

export type IkeEvent =
  | { readonly kind: 'start' }
  | {
      readonly kind: 'datagram';
      readonly bytes: Uint8Array;
      readonly from: Endpoint;
      readonly local: Endpoint;
      readonly transport: Transport;
    }
  /** The instant of the last `timer` effect has come. */
  | { readonly kind: 'timer' }
  /** Authenticated ESP traffic arrived at `at`: liveness checks are not needed before `at` + interval (RFC 7296 §2.4). */
  | { readonly kind: 'inboundTraffic'; readonly at: Instant }
  /** The data plane has finished what an `installChild`/`expectChild` effect asked, or could not. */
  | { readonly kind: 'childInstalled'; readonly spiIn: number; readonly error?: string }
  /** Authenticated ESP came from another endpoint than ESP goes to (RFC 7296 §2.23); ignored unless the peer is behind a NAT. */
  | { readonly kind: 'peerMoved'; readonly from: Endpoint }
  /** The answer to the `ask` with this id. */
  | { readonly kind: 'answer'; readonly id: number; readonly answer: IkeAnswer }
  /** The CHILD SA nears a limit of its keys (bytes or packets, soft): replace it (RFC 7296 §2.8). Repeating it is harmless. */
  | { readonly kind: 'childLimit'; readonly spiIn: number }
  /** A valid packet arrived on a CHILD SA installed with `activate: 'first-inbound'`: the data plane now sends on it. */
  | { readonly kind: 'childActive'; readonly spiIn: number }
  /** Rekey the IKE SA, or one CHILD SA, now. */
  | { readonly kind: 'rekey'; readonly what: 'ike' | { readonly spiIn: number } }
  /** Delete this CHILD SA, or what has replaced it by now; the IKE SA stays (RFC 7296 §1.4.1). */
  | { readonly kind: 'deleteChild'; readonly spiIn: number }
  /** A responder's: send the peer to another gateway, if it can be sent (RFC 5685 §5). */
  | { readonly kind: 'redirect'; readonly to: GatewayName }
  /** Ask the peer for a sign of life now. */
  | { readonly kind: 'checkLiveness' }
  /**
   * We are at other addresses from now on (roaming, RFC 4555 §3.5): `send` effects leave from there already. Only where the
   * peer said that it supports MOBIKE (`established.mobike`); with the same addresses it probes the path anew. `moveChild` follows
   * for each CHILD SA once the peer has agreed; where it does not answer, the SA ends as any that gets no response.
   */
  | { readonly kind: 'addressesChanged'; readonly local: Endpoint; readonly localNatt: Endpoint }
  /** Delete the IKE SA (and with it every CHILD SA), tell the peer, then close. */
  | { readonly kind: 'close' };

/** Addresses and servers from the configuration payload (RFC 7296 §3.15). */
export interface Configuration {
  readonly addresses: readonly Prefix[];
  readonly dns: readonly Address[];
  /** INTERNAL_IP4_SUBNET / INTERNAL_IP6_SUBNET: what lies behind the gateway. */
  readonly subnets: readonly Prefix[];
  /** INTERNAL_DNS_DOMAIN: names for which `dns` are the only servers (RFC 8598), lower case, without a last dot. */
  readonly domains?: readonly string[] | undefined;
  readonly applicationVersion: string | undefined;
}

export type ChildMode = 'transport' | 'tunnel';

/** A CHILD SA that both ends have agreed on, with its keys: everything the data plane needs (RFC 7296 §2.17). */
export interface ChildSa {
  /** SPI on packets that we receive, chosen by us; and that the peer receives. Host order. */
  readonly spiIn: number;
  readonly spiOut: number;
  readonly mode: ChildMode;
  readonly cipher: EspCipher;
  /** The proposal as people write it: "aes256gcm16-esn". */
  readonly proposal: string;
  readonly keyIn: Uint8Array;
  readonly saltIn: Uint8Array;
  readonly keyOut: Uint8Array;
  readonly saltOut: Uint8Array;
  /** Beside a cipher that brings no integrity of its own; the keys are there exactly when it is. */
  readonly integrity?: EspIntegrity | undefined;
  readonly integrityKeyIn?: Uint8Array | undefined;
  readonly integrityKeyOut?: Uint8Array | undefined;
  /** A test asked for a cipher that encrypts nothing. */
  readonly unencrypted?: boolean | undefined;
  readonly esn: boolean;
  /** Narrowed traffic selectors: our side and the peer's. */
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
  /** ESP in UDP (a NAT was detected, or it was forced), raw protocol 50, or in the TCP connection that IKE uses too. */
  readonly encapsulation: Encapsulation;
  /** Where ESP goes: the address and, for UDP, the port that the peer's IKE messages come from. */
  readonly peer: Endpoint;
}

/** Steps of connecting, in order, for progress shown to people. */
export type IkeStep = 'sa-init' | 'auth' | 'established';

export type IkeEffect =
  | {
      readonly kind: 'send';
      readonly bytes: Uint8Array;
      readonly to: Endpoint;
      readonly transport: Transport;
    }
  /** One-byte NAT keepalive (RFC 3948 §2.3). */
  | { readonly kind: 'keepalive'; readonly to: Endpoint }
  /** Wake me at `at`; replaces the timer set before. null: no timer. */
  | { readonly kind: 'timer'; readonly at: Instant | null }
  | { readonly kind: 'step'; readonly step: IkeStep }
  /** The IKE SA is authenticated. `proposal` as people write it: "aes256gcm16-prfsha256-ecp256". */
  | {
      readonly kind: 'established';
      readonly proposal: string;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly remoteIdentity: Identity;
      readonly behindNat: { readonly local: boolean; readonly remote: boolean };
      readonly configuration: Configuration;
      /** Both ends announced MOBIKE_SUPPORTED (RFC 4555 §3.1): `addressesChanged` is understood. Undefined: no. */
      readonly mobike?: boolean | undefined;
    }
  /** A request naming this SPI is about to leave: the peer's packets may overtake its answer. */
  | { readonly kind: 'expectChild'; readonly spiIn: number }
  | { readonly kind: 'cancelChild'; readonly spiIn: number }
  /**
   * Install it inbound, and outbound. `activate: 'now'`: send on it at once. `'first-inbound'` (we answered a rekeying, RFC 7296
   * §2.8): go on sending on `replaces` until a valid packet arrives on the new SA or `replaces` is removed. `'never'`: receive on it
   * only; it has lost a collision and is deleted at once (§2.8.1). Answered by `childInstalled`; what follows in the queue waits for that, so that our response leaves when the inbound SA is there.
   * `name` tells several CHILD SAs of one IKE SA apart: that of the ChildRequest it came from; a replacement keeps it.
   */
  | {
      readonly kind: 'installChild';
      readonly child: ChildSa;
      readonly activate: 'now' | 'first-inbound' | 'never';
      readonly replaces?: number | undefined;
      readonly name?: string | undefined;
    }
  /**
   * ESP of this SA now goes to `peer`: its NAT has given it another endpoint (RFC 7296 §2.23), or one of us has moved (RFC 4555
   * §3.5). `encapsulation` where that changes too, because a NAT has come or gone.
   */
  | {
      readonly kind: 'moveChild';
      readonly spiOut: number;
      readonly peer: Endpoint;
      readonly encapsulation?: 'udp' | 'raw' | undefined;
      /** Who is behind a NAT now, where that was looked into (RFC 4555 §3.5). */
      readonly behindNat?: { readonly local: boolean; readonly remote: boolean } | undefined;
    }
  | { readonly kind: 'removeChild'; readonly spiIn: number; readonly spiOut: number; readonly by: 'peer' | 'us' }
  /** Answered later by an event `answer` with this id. */
  | { readonly kind: 'ask'; readonly id: number; readonly question: IkeQuestion }
  /** The IKE SA has been rekeyed (RFC 7296 §2.18) and has these algorithms now; its CHILD SAs stay as they are. */
  | { readonly kind: 'rekeyed'; readonly proposal: string }
  /** The peer refuses a further CHILD SA (`moreChildren`, or one that it had deleted); the others stay. */
  | { readonly kind: 'childRefused'; readonly name: string | undefined; readonly error: IkeError }
  /** The IKE SA has to be authenticated anew soon (RFC 4478, or our own lifetime): make another connection before this one is closed. */
  | { readonly kind: 'reauthenticate'; readonly within: number }
  /**
   * A ticket to resume the IKE SA with, should it be lost (RFC 5723), in the place of the one before; undefined: that one is not good any
   * more. It belongs to whoever takes it, who wipes it; it never leaves the memory.
   */
  | { readonly kind: 'ticket'; readonly ticket: ResumptionTicket | undefined }
  /** Something worth a line in the log; never a secret. */
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn'; readonly text: string }
  /** The end. Nothing follows. */
  | { readonly kind: 'closed'; readonly reason: CloseReason };

export type CloseReason =
  | { readonly by: 'us' }
  /** The peer sent Delete for the IKE SA. */
  | { readonly by: 'peer' }
  /** The gateway sends us to another one (RFC 5685), which has to prove the same identity. */
  | { readonly by: 'redirect'; readonly to: GatewayName }
  | { readonly by: 'error'; readonly error: IkeError };

/**
 * One IKE SA. Effects are carried out in the order given. Order of a good start: step sa-init, send, timer, …, step auth,
 * expectChild, send, …, established, installChild, step established. After `closed` nothing follows and every event is ignored.
 */
export interface IkePeer {
  handle(event: IkeEvent, now: Instant): IkeEffect[];
}

/** Names one IKE SA of a responder: its SPIr as 16 hexadecimal digits. */
export type SaName = string;

export type IkeResponderEvent =
  | Extract<IkeEvent, { readonly kind: 'datagram' | 'timer' }>
  | (Exclude<IkeEvent, { readonly kind: 'start' | 'datagram' | 'timer' | 'close' }> & { readonly sa: SaName })
  /** Delete this IKE SA; without `sa`, every one. */
  | { readonly kind: 'close'; readonly sa?: SaName };

/**
 * An effect and the SA that it belongs to; `sa` is null for what belongs to none (answers to a peer without an SA, and the one
 * timer, which covers every SA). Effects of one SA: send…, expectChild, established, installChild, send, …, removeChild, closed.
 * Half-open SAs that end before they are established report `closed` too (and nothing else).
 */
export interface IkeResponderEffect {
  readonly sa: SaName | null;
  readonly effect: IkeEffect;
}

/** Many peers behind one pair of sockets: demultiplexes by SPI, makes SAs, forgets them. */
export interface IkeResponder {
  handle(event: IkeResponderEvent, now: Instant): IkeResponderEffect[];
}

export interface IkeDeps {
  readonly random: RandomBytes;
}

/** A pre-shared key (RFC 7296 §2.15). Copied at the start; the copy is wiped by close, the caller's bytes are left alone. */
export interface PskCredential {
  readonly kind: 'psk';
  readonly secret: Uint8Array;
}

/** A certificate whose private key somebody else holds: question `sign` (RFC 7296 §2.15, RFC 7427). */
export interface SignatureCredential {
  readonly kind: 'signature';
  /** One or more; which one is taken follows the peer's CERTREQ, else the first (RFC 7296 §3.7). */
  readonly certificates: readonly [OwnCertificate, ...OwnCertificate[]];
  readonly policy?: SchemePolicy | undefined;
}

export interface OwnCertificate {
  readonly chain: CertificateChain;
  /** The public half; its type decides what can be signed with it. */
  readonly publicKey: KeyObject;
  /** SHA-1 hashes of the SubjectPublicKeyInfo of every authority above it, as in CERTREQ (RFC 7296 §3.7); empty: unknown. */
  readonly authorities: readonly Uint8Array[];
}

/** EAP (RFC 7296 §2.16): question `eap` for each packet. */
export interface EapCredential {
  readonly kind: 'eap';
  /** Let the gateway prove itself by EAP alone, where it wants to (RFC 5998); the methods then have to be fit for it. */
  readonly gatewayByEap?: boolean | undefined;
}

export type Credential = PskCredential | SignatureCredential | EapCredential;

/** How the gateway has to prove who it is, whatever we do ourselves. */
export type RemoteAuthentication =
  | PskCredential
  | {
      readonly kind: 'signature';
      /** SHA-1 hashes of the SubjectPublicKeyInfo of the authorities that we trust, for CERTREQ; empty: any. */
      readonly authorities: readonly Uint8Array[];
      /** The name that its certificate must be good for, where `remoteIdentity` names none: what we connected to. */
      readonly name?: Identity | undefined;
    };

/** A post-quantum pre-shared key (RFC 8784). */
export interface Ppk {
  /** PPK_ID with its type octet in front (RFC 8784 §5.1). */
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** Without it there is no connection. */
  readonly required: boolean;
}

/** Another authentication after the first (RFC 4739): of a person after the machine's, say. */
export interface SecondAuthentication {
  readonly identity: Identity;
  readonly credential: Credential;
}

export interface RetransmissionPolicy {
  /** First time-out in milliseconds, multiplied by `factor` each time, at most `most`; given up after `tries` sendings. */
  readonly first: number;
  readonly factor: number;
  readonly most: number;
  readonly tries: number;
}

/** When SAs are replaced (RFC 7296 §2.8). Milliseconds; 0: never because of time. */
export interface LifetimePolicy {
  readonly child: number;
  readonly ike: number;
  /** Until the IKE SA is to be authenticated anew: effect `reauthenticate` (RFC 7296 §2.8.3). */
  readonly reauth: number;
  /**
   * Each time is drawn anew, shorter by up to this share, so that both ends rarely begin at once (RFC 7296 §2.8.1). An SA that
   * could not be replaced is given up this share after its time, or a tenth, or a minute, whichever is the longest.
   */
  readonly jitter: number;
}

export interface ChildRequest {
  /** Tells several CHILD SAs of one IKE SA apart; undefined for the only one. */
  readonly name?: string | undefined;
  readonly mode: ChildMode;
  /** Proposals in order of preference, in strongSwan's notation: "aes128gcm16", "chacha20poly1305-esn". */
  readonly proposals: readonly string[];
  /** Take ciphers that encrypt nothing. For tests: no profile can say so. */
  readonly unencrypted?: boolean | undefined;
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
  /** The local selector is replaced by the assigned address where the configuration payload brings one. */
  readonly localIsDynamic: boolean;
  /**
   * What becomes of a peer that makes CHILD SAs without a key exchange of their own where our proposals name one (RFC 7296 §1.3):
   * `preferred` (and undefined) takes it, `required` does not.
   */
  readonly pfs?: 'required' | 'preferred' | undefined;
}

export interface InitiatorConfig {
  readonly local: Endpoint;
  /** The local endpoint once the exchange has moved to UDP 4500. */
  readonly localNatt: Endpoint;
  /** UDP 500 of the gateway, and its port for NAT traversal (4500 unless the profile says otherwise). */
  readonly remote: Endpoint;
  readonly remoteNattPort: number;
  readonly identity: Identity;
  /** Expected IDr; undefined: whatever the peer proves with the secret. */
  readonly remoteIdentity: Identity | undefined;
  /**
   * Do these name the same, though sameIdentity says no: distinguished names in another order (RFC 4514 and most people write the last
   * RDN first)? Asked once the peer has proved that its name is its own. undefined: no.
   */
  readonly sameNames?: ((a: Identity, b: Identity) => boolean) | undefined;
  readonly credential: Credential;
  /** undefined: by our own pre-shared key. */
  readonly remoteAuthentication?: RemoteAuthentication | undefined;
  readonly second?: SecondAuthentication | undefined;
  readonly ppk?: Ppk | undefined;
  /** Say INITIAL_CONTACT: the gateway forgets other SAs of ours (RFC 7296 §2.4). undefined: yes; no while one is being replaced. */
  readonly initialContact?: boolean | undefined;
  /** Make the IKE SA without a CHILD SA where the gateway can (RFC 6023), and the CHILD SA by CREATE_CHILD_SA. */
  readonly childless?: boolean | undefined;
  readonly proposals: readonly string[];
  readonly child: ChildRequest;
  /** Further CHILD SAs, made by CREATE_CHILD_SA once the first is there; each has a name of its own. */
  readonly moreChildren?: readonly ChildRequest[] | undefined;
  /** Make a CHILD SA anew, a few times, that the peer has deleted, before the connection is given up. */
  readonly remakeChildren?: boolean | undefined;
  /** undefined: nothing is ever replaced because of time. */
  readonly lifetime?: LifetimePolicy | undefined;
  /** Ask for addresses of these families in the configuration payload; empty: no configuration payload. */
  readonly requestAddresses: readonly (4 | 6)[];
  /**
   * `udp`: force encapsulation with a false NAT-detection hash. `auto`: only when a NAT is there. `tcp`: everything goes over one
   * TCP connection, whose ends are `local` and `remote` (RFC 9329).
   */
  readonly encapsulation: 'udp' | 'auto' | 'tcp';
  readonly retransmission: RetransmissionPolicy;
  /** Milliseconds without inbound traffic before a liveness check; 0: never. */
  readonly livenessInterval: number;
  /** Milliseconds between NAT keepalives; 0: never. */
  readonly keepaliveInterval: number;
  /**
   * Bytes of IP datagrams that fragments of IKE messages are made for, tried downwards (RFC 7383 §2.5.2). undefined: 1280, then
   * 576; empty: fragmentation is not offered.
   */
  readonly fragmentSizes?: readonly number[] | undefined;
  /**
   * Say MOBIKE_SUPPORTED (RFC 4555): IKE goes over UDP 4500, and where the gateway says it too, `addressesChanged` moves the SAs. For
   * tunnel mode only (§1.2). undefined: no.
   */
  readonly mobike?: boolean | undefined;
  /** Say that the gateway may send us to another one (RFC 5685): then CloseReason `redirect`. */
  readonly takesRedirects?: boolean | undefined;
  /** Ask for tickets (RFC 5723), which come as effects. */
  readonly wantsTickets?: boolean | undefined;
  /** Resume with this one; where that fails, authenticate from the start. Not wiped here. */
  readonly resume?: ResumptionTicket | undefined;
  /** The gateway that has sent us here. */
  readonly redirectedFrom?: Address | undefined;
}

/** What a responder answers with: asked once per new peer, after its identity is proved. */
export interface AddressLease {
  readonly addresses: readonly Prefix[];
  readonly dns: readonly Address[];
  readonly subnets: readonly Prefix[];
  /** Sent to who asks for them, and with `dns` only (RFC 8598 §3.2). */
  readonly domains?: readonly string[] | undefined;
}

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
