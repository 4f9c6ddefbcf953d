// The seam of the IKEv2 core: events in, effects out (sans-IO). `initiator.ts` implements IkePeer and `responder.ts` IkeResponder; the
// session, the gateway and the simulation drive them. No clock, no randomness, no socket in here: all are handed in.
import type { RandomBytes } from '../crypto/random.ts';
import type { Endpoint } from '../wire/address.ts';
import type { ChildSa } from './child-sa.ts';
import type { Configuration } from './configuration.ts';
import type { IkeError } from './error.ts';
import type { Identity } from './identity.ts';
import type { IkeAnswer, IkeQuestion } from './questions.ts';
import type { GatewayName } from './redirect.ts';
import type { ResumptionTicket } from './ticket.ts';
import type { Instant } from './timing.ts';
import type { Transport } from './transport.ts';

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
