// IKE_SA_INIT, the responder's side (RFC 7296 §1.2, §2.6, §2.7, §2.23). Nothing is remembered before the answer that agrees; a cookie
// is asked for before any Diffie-Hellman is computed.
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   HDR(A,0), SAi1, KEi, Ni, …    -->
//                                  <--  HDR(A,0), N(COOKIE)                 under load
//                                  <--  HDR(A,0), N(INVALID_KE_PAYLOAD)     KEi is not of the group chosen
//                                  <--  HDR(A,0), N(NO_PROPOSAL_CHOSEN)     nothing in common
//                                  <--  HDR(A,B), SAr1, KEr, Nr, N(NAT_DETECTION_*)
import { algorithmsNamed, algorithmsOf, compareAlgorithms } from '../../crypto/algorithms.ts';
import { isKeError } from '../../crypto/ke.ts';
import { choose } from '../../crypto/proposal.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { ikeSuite } from '../../crypto/suite.ts';
import { type Proposal, TransformType } from '../../crypto/transform.ts';
import type { Endpoint } from '../../wire/address.ts';
import { type Announced, announcedIn, responderAnnouncements } from '../auth/announced.ts';
import type { CookieJar } from '../cookie.ts';
import { concat, spiBytes } from '../keymat.ts';
import { answerHeader, encodeMessage, type Message } from '../message.ts';
import { NO_NAT, natDetection, natIn } from '../nat.ts';
import { notifiedIn, notifyOf, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { type Payload, payloadOf } from '../payload/payload.ts';
import { isWorthwhile, type Puzzle, puzzleNotify, solvedBits } from '../puzzle.ts';
import { type GatewayName, redirectNotify } from '../redirect.ts';
import type { ResponderAuthentication } from '../responder-config.ts';
import { IkeSa } from '../sa.ts';
import type { Instant } from '../timing.ts';
import type { Transport } from '../transport.ts';

const NONCE_BYTES = 32;

export interface IkeInitPolicy {
  readonly proposals: readonly string[];
  /** Feign a NAT, so that both ends encapsulate. */
  readonly feignNat: boolean;
  /** Sizes of fragments for peers that take them (RFC 7383 §2.3); empty: fragmentation is not offered. */
  readonly fragmentSizes: readonly number[];
  readonly authentication: ResponderAuthentication;
  /** Where to send who can be sent (RFC 5685 §3). */
  readonly redirect?: ((from: Endpoint) => GatewayName | undefined) | undefined;
  /** While puzzles are asked for with the cookies (RFC 8019): zero bits, and those of another one in IKE_AUTH. */
  readonly puzzle?: { readonly difficulty: number; readonly auth?: number | undefined } | undefined;
}

export interface IkeInitRequest {
  readonly bytes: Uint8Array;
  /** Decoded and checked against the rules. */
  readonly message: Message;
  readonly from: Endpoint;
  readonly local: Endpoint;
  readonly transport: Transport;
}

export type IkeInitAnswer =
  /** Sent and forgotten. */
  | {
      readonly kind: 'stateless';
      readonly response: Uint8Array;
      readonly why: string;
      /** What it offered and what we accept, where nothing is in both: for whoever administers this end. */
      readonly disagreement?: string;
    }
  | {
      readonly kind: 'agreed';
      readonly response: Uint8Array;
      readonly sa: IkeSa;
      readonly announced: Announced;
      /** The peer has to solve it for IKE_AUTH. */
      readonly puzzle: Puzzle | undefined;
    }
  | { readonly kind: 'ignored'; readonly why: string };

export function answerIkeInit(
  request: IkeInitRequest,
  policy: IkeInitPolicy,
  deps: {
    readonly random: RandomBytes;
    /** Set while cookies are asked for. */
    readonly cookies: CookieJar | undefined;
    readonly now: Instant;
    /** A fresh SPIr, not zero and not in use. */
    readonly newSpi: () => bigint;
  },
): IkeInitAnswer {
  const { message, from, local } = request;
  const { payloads, header } = message;
  const offered = payloadOf(payloads, 'sa');
  const ke = payloadOf(payloads, 'ke');
  const Ni = payloadOf(payloads, 'nonce')?.data;
  if (!offered || !ke || !Ni) return { kind: 'ignored', why: 'SA, KE or Nonce is missing' };

  const answer = (
    answered: readonly Payload[],
    why: string,
  ): Extract<IkeInitAnswer, { readonly kind: 'stateless' }> => ({
    kind: 'stateless',
    response: encodeMessage(answerHeader(header, 0n), answered),
    why,
  });
  const stateless = (type: number, data: Uint8Array, why: string) => answer([notifyOf(type, data)], why);
  const prf = policy.puzzle && puzzlePrf(offered.proposals);
  if (deps.cookies) {
    const cookie = notifiedIn(payloads, NotifyType.COOKIE);
    const terms = policy.puzzle && prf !== undefined ? { prf, difficulty: policy.puzzle.difficulty } : undefined;
    const puzzle = terms ? [puzzleNotify(terms)] : [];
    // RFC 7296 §2.6: a cookie that is not ours is as good as none.
    if (!cookie || !deps.cookies.accepts(cookie, Ni, header.SPIi, from, deps.now)) {
      const fresh = deps.cookies.bake(Ni, header.SPIi, from, deps.now);
      return answer([notifyOf(NotifyType.COOKIE, fresh), ...puzzle], 'asked for a cookie');
    }
    const solution = payloadOf(payloads, 'puzzle')?.data ?? new Uint8Array(0);
    // RFC 8019 §7.1.4: before any Diffie-Hellman.
    if (terms && (solvedBits({ ...terms, S: cookie }, solution) ?? -1) < terms.difficulty)
      return answer([notifyOf(NotifyType.COOKIE, cookie), ...puzzle], 'asked for a solved puzzle');
  }
  const announced = announcedIn(payloads);
  const elsewhere = announced.takesRedirects ? policy.redirect?.(from) : undefined;
  if (elsewhere) return answer([redirectNotify(elsewhere, Ni)], 'sent to another gateway');

  // RFC 9370 §2.2.1: additional key exchanges take place in IKE_INTERMEDIATE, which both ends have to announce.
  const intermediate = says(payloads, NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED);
  const choice = choose(offered.proposals, policy.proposals, 'ike', { withoutAdditional: !intermediate });
  if (!choice)
    return {
      ...stateless(NotifyType.NO_PROPOSAL_CHOSEN, new Uint8Array(0), 'none of its proposals is acceptable'),
      disagreement: compareAlgorithms(
        algorithmsOf(offered.proposals.map(({ transforms }) => transforms)),
        algorithmsNamed(policy.proposals, 'ike'),
      ),
    };
  const suite = ikeSuite(choice.proposal.transforms);
  if (ke.method !== suite.ke.id)
    return stateless(
      NotifyType.INVALID_KE_PAYLOAD,
      Uint8Array.of(suite.ke.id >>> 8, suite.ke.id & 0xff),
      `its KE payload is of group ${ke.method}, ${suite.ke.name} was chosen`,
    );
  const agreed = suite.ke.respond(ke.data, deps.random);
  if (isKeError(agreed)) return stateless(NotifyType.INVALID_SYNTAX, new Uint8Array(0), agreed.toString());

  const fragmented = policy.fragmentSizes.length > 0 && says(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED);
  const Nr = deps.random(NONCE_BYTES);
  const SPIr = deps.newSpi();
  // RFC 8019 §7.2.1: only who has solved one before.
  const auth = deps.cookies && prf !== undefined ? policy.puzzle?.auth : undefined;
  const puzzle = auth && prf !== undefined ? { prf, difficulty: auth, S: concat(Nr, spiBytes(SPIr)) } : undefined;
  const response = encodeMessage(answerHeader(header, SPIr), [
    { kind: 'sa', proposals: [choice.proposal] },
    { kind: 'ke', method: suite.ke.id, data: agreed.data },
    { kind: 'nonce', data: Nr },
    ...natDetection({ SPIi: header.SPIi, SPIr }, local, from, policy.feignNat),
    ...(fragmented ? [notifyOf(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
    ...(puzzle ? [puzzleNotify(puzzle)] : []),
    ...(suite.additional.length > 0 ? [notifyOf(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED)] : []),
    ...responderAnnouncements(policy.authentication, announced),
  ]);

  const nat = natIn(message, from, local);
  const sa = new IkeSa(
    {
      role: 'responder',
      SPIi: header.SPIi,
      SPIr,
      suite,
      Ni,
      Nr,
      sharedSecret: agreed.secret,
      realMessage1: Uint8Array.from(request.bytes),
      realMessage2: response,
      nat: nat ?? NO_NAT,
      traversal: nat !== undefined,
      encapsulation: request.transport === 'tcp' ? 'tcp' : policy.feignNat || nat?.local || nat?.remote ? 'udp' : 'raw',
      local,
      remote: from,
      transport: request.transport,
      fragmentation: fragmented ? policy.fragmentSizes : undefined,
    },
    deps.random,
  );
  return { kind: 'agreed', response, sa, announced, puzzle };
}

/** The first of the peer's PRFs that we have too (RFC 8019 §7.1.1.2). */
function puzzlePrf(proposals: readonly Proposal[]): number | undefined {
  const offered = proposals.flatMap(({ transforms }) => transforms.filter((of) => of.type === TransformType.PRF));
  return offered.map(({ id }) => id).find((id) => isWorthwhile({ prf: id, difficulty: 0 }));
}
