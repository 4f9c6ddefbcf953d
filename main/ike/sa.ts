// An IKE SA with keys: who began it, its SPIs, its algorithms, where its two ends are, and what seals and opens its messages.
// It belongs to an initiator or a responder, which wipes it at the end.

import type { RandomBytes } from '../crypto/random.ts';
import type { IkeSuite } from '../crypto/suite.ts';
import type { Endpoint } from '../wire/address.ts';
import { sameBytes } from '../wire/bytes.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import { isWireError, WireError } from '../wire/error.ts';
import { CrashTokens } from './crash-token.ts';
import { DatagramSize, overheadOf, Reassembly, type Sealed, sealInPieces, whole } from './fragment.ts';
import { deriveIkeKeys, type RekeyedFrom, wipeIkeKeys } from './keymat.ts';
import { type ExchangeType, fragmentOf, type Message } from './message.ts';
import type { NatSituation } from './nat.ts';
import type { Payload } from './payload/payload.ts';
import { type IkeKeys, Protection } from './protection.ts';
import { contentOf, OpenError, openContent, openMessage, sealContent } from './sealed.ts';
import type { Instant } from './timing.ts';
import type { Transport } from './transport.ts';

export type Role = 'initiator' | 'responder';

/** What IKE_SA_INIT has settled. */
export interface IkeSaTerms {
  readonly role: Role;
  readonly SPIi: bigint;
  readonly SPIr: bigint;
  readonly suite: IkeSuite;
  readonly Ni: Uint8Array;
  readonly Nr: Uint8Array;
  /** g^ir; wiped by the constructor. */
  readonly sharedSecret: Uint8Array;
  /** Set where this SA comes out of rekeying another (RFC 7296 §2.18); the SK_d in it stays that SA's. */
  readonly rekeyed?: RekeyedFrom | undefined;
  /** The IKE_SA_INIT messages as they were sent and received, for AUTH (RFC 7296 §2.15); empty in a rekeyed SA. */
  readonly realMessage1: Uint8Array;
  readonly realMessage2: Uint8Array;
  readonly nat: NatSituation;
  /** The peer does NAT traversal: it has sent NAT_DETECTION_* (RFC 7296 §2.23). */
  readonly traversal?: boolean | undefined;
  /** ESP goes inside UDP: a NAT was detected or feigned. */
  readonly encapsulation: Encapsulation;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly transport: Transport;
  /**
   * Both ends have said IKEV2_FRAGMENTATION_SUPPORTED (RFC 7383 §2.3): IP datagram sizes for fragments, the largest first. An SA that
   * replaces another inherits it.
   */
  readonly fragmentation?: readonly number[] | undefined;
}

export class IkeSa {
  readonly role: Role;
  readonly SPIi: bigint;
  readonly SPIr: bigint;
  readonly suite: IkeSuite;
  readonly Ni: Uint8Array;
  readonly Nr: Uint8Array;
  readonly realMessage1: Uint8Array;
  readonly realMessage2: Uint8Array;
  readonly traversal: boolean;
  /** IntAuth (RFC 9242 §3.3.2) with the message ID of IKE_AUTH, for AUTH; undefined without IKE_INTERMEDIATE. */
  intAuth: Uint8Array | undefined;
  /** What proves that the peer has lost this SA (RFC 6290). */
  readonly crashTokens = new CrashTokens();
  /** Where the ends are now, and what is between them; a NAT may move them (RFC 7296 §2.23), and they themselves (RFC 4555). */
  nat: NatSituation;
  encapsulation: Encapsulation;
  local: Endpoint;
  remote: Endpoint;
  transport: Transport;
  /** The number of our last move that the peer knows of on this SA (RFC 4555 §3.5). */
  movesTold = 0;
  #generation: Generation;
  /** The keys before the last additional key exchange, as long as an answer sealed with them may have to be repeated. */
  #before: Generation | undefined;
  readonly #random: RandomBytes;
  readonly #size: DatagramSize | undefined;
  readonly #reassembly = new Reassembly();
  /** The last request that came in fragments: its last and its first. */
  #reassembled: { readonly last: Uint8Array; readonly first: Uint8Array } | undefined;
  #wiped = false;

  constructor(terms: IkeSaTerms, random: RandomBytes) {
    const { suite, role } = terms;
    this.role = role;
    this.SPIi = terms.SPIi;
    this.SPIr = terms.SPIr;
    this.suite = suite;
    this.Ni = terms.Ni;
    this.Nr = terms.Nr;
    this.realMessage1 = terms.realMessage1;
    this.realMessage2 = terms.realMessage2;
    this.nat = terms.nat;
    this.traversal = terms.traversal ?? false;
    this.encapsulation = terms.encapsulation;
    this.local = terms.local;
    this.remote = terms.remote;
    this.transport = terms.transport;
    this.#size = terms.fragmentation && new DatagramSize(terms.fragmentation);
    this.#random = random;
    this.#generation = generationOf(role, suite, terms);
    terms.sharedSecret.fill(0);
  }

  /** The newest. */
  get keys(): IkeKeys {
    return this.#generation.keys;
  }

  /**
   * An additional key exchange is done: SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), and every key anew (RFC 9370 §2.2.2). `secret`,
   * SK(n), stays the caller's. What was sealed before can be repeated, and cut up smaller, until the peer uses the new keys.
   */
  advance(secret: Uint8Array): void {
    if (this.#wiped) throw new Error('the keys of this IKE SA have been wiped');
    const { role, suite, Ni, Nr, SPIi, SPIr } = this;
    const rekeyed = { prf: suite.prf, SK_d: this.keys.SK_d, additional: [] };
    this.#forgetBefore();
    this.#before = this.#generation;
    this.#generation = generationOf(role, suite, { sharedSecret: secret, Ni, Nr, SPIi, SPIr, rekeyed });
  }

  seal(message: {
    readonly exchange: ExchangeType;
    readonly messageId: number;
    readonly response: boolean;
    readonly payloads: readonly Payload[];
  }): Sealed {
    // Zeros would still encrypt, and anybody could read it.
    if (this.#wiped) throw new Error('the keys of this IKE SA have been wiped');
    const { exchange, messageId, response, payloads } = message;
    const { SPIi, SPIr } = this;
    const header = { SPIi, SPIr, exchange, initiator: this.role === 'initiator', response, messageId };
    const protection = this.#generation.outbound;
    const random = this.#random;
    const size = this.#size;
    // RFC 8019 §7.2.2: read before there are keys.
    const clear = payloads.filter(({ kind }) => kind === 'puzzle');
    const content = contentOf(payloads.filter(({ kind }) => kind !== 'puzzle'));
    // RFC 9329 §7.5: a stream carries messages of any size.
    if (!size || this.transport === 'tcp') {
      const bytes = sealContent(header, content, protection, random, undefined, clear);
      content.bytes.fill(0);
      return whole(bytes);
    }
    const overhead = overheadOf(this.remote.address, this.transport);
    return sealInPieces({ header, clear, content, protection, random, size, overhead });
  }

  /** For the terms of an SA that replaces this one: the sizes that have not failed. */
  get fragmentation(): readonly number[] | undefined {
    return this.#size?.remaining;
  }

  /** A message of the peer's, or an OpenError: also, not authentic, where other fragments of the message are missing. */
  open(bytes: Uint8Array, now: Instant): Message | OpenError {
    const message = this.#open(bytes, now);
    if (!isWireError(message)) this.#forgetBefore();
    return message;
  }

  #open(bytes: Uint8Array, now: Instant): Message | OpenError {
    const { inbound } = this.#generation;
    const fragment = fragmentOf(bytes);
    if (!fragment) return openMessage(bytes, inbound);
    if (!this.#size)
      return new OpenError(new WireError('value', 'SKF payload', 0, 'no fragments: they were not agreed on'), false);
    const whole = this.#reassembly.open(bytes, fragment, inbound, now);
    if (isWireError(whole)) return whole;
    if (whole.message.header?.response === false) this.#reassembled = whole;
    // RFC 7383 §2.5.1: what the peer thinks of the path is worth following.
    if (this.transport !== 'tcp') this.#size.lower(whole.largest + overheadOf(this.remote.address, this.transport));
    return whole.message;
  }

  /** The datagram whose repetition asks for our answer again: the first fragment of the request that `bytes` completed, else `bytes`. */
  firstOf(bytes: Uint8Array): Uint8Array {
    return this.#reassembled && sameBytes(this.#reassembled.last, bytes) ? this.#reassembled.first : bytes;
  }

  /** Does the tag verify of this datagram, a message or a fragment of one? */
  verifies(bytes: Uint8Array): boolean {
    return [this.#generation, this.#before].some((generation) => {
      const opened = generation && openContent(bytes, generation.inbound);
      return opened !== undefined && (!isWireError(opened) || opened.authentic);
    });
  }

  #forgetBefore(): void {
    if (this.#before) wipeGeneration(this.#before);
    this.#before = undefined;
  }

  /** Every secret of the SA becomes zero; sealing throws afterwards. */
  wipe(): void {
    this.#wiped = true;
    wipeGeneration(this.#generation);
    this.#forgetBefore();
  }
}

/** Keys and what they protect messages with. */
interface Generation {
  readonly keys: IkeKeys;
  readonly outbound: Protection;
  readonly inbound: Protection;
}

function generationOf(role: Role, suite: IkeSuite, from: Parameters<typeof deriveIkeKeys>[2]): Generation {
  const lengths = { integ: suite.integ?.keyBytes ?? 0, encr: suite.encr.keyBytes };
  const keys = deriveIkeKeys(suite.prf, lengths, from);
  const fromInitiator = new Protection(suite.encr, suite.integ, keys.SK_ei, keys.SK_ai);
  const fromResponder = new Protection(suite.encr, suite.integ, keys.SK_er, keys.SK_ar);
  return role === 'initiator'
    ? { keys, outbound: fromInitiator, inbound: fromResponder }
    : { keys, outbound: fromResponder, inbound: fromInitiator };
}

function wipeGeneration({ keys, outbound, inbound }: Generation): void {
  wipeIkeKeys(keys);
  outbound.wipe();
  inbound.wipe();
}
