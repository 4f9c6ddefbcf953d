// An IKE SA with keys: who began it, its SPIs, its algorithms, where its two ends are, and what seals and opens its messages.
// It belongs to an initiator or a responder, which wipes it at the end.
import type { IkeSuite } from '../crypto/suite.ts';
import type { Endpoint } from '../wire/address.ts';
import { deriveIkeKeys, type RekeyedFrom, wipeIkeKeys } from './keymat.ts';
import type { ExchangeType, Message } from './message.ts';
import type { NatSituation } from './nat.ts';
import type { Payload } from './payload/payload.ts';
import { type IkeKeys, Protection } from './protection.ts';
import { type OpenError, openMessage, sealMessage } from './sealed.ts';
import type { RandomBytes, Transport } from './types.ts';

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
  /** ESP goes inside UDP: a NAT was detected or feigned. */
  readonly encapsulation: 'udp' | 'raw';
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly transport: Transport;
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
  readonly nat: NatSituation;
  readonly encapsulation: 'udp' | 'raw';
  readonly keys: IkeKeys;
  /** Where the ends are now; a NAT may move them (RFC 7296 §2.23). */
  local: Endpoint;
  remote: Endpoint;
  transport: Transport;
  readonly #outbound: Protection;
  readonly #inbound: Protection;
  readonly #random: RandomBytes;
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
    this.encapsulation = terms.encapsulation;
    this.local = terms.local;
    this.remote = terms.remote;
    this.transport = terms.transport;
    this.#random = random;
    this.keys = deriveIkeKeys(suite.prf, { integ: suite.integ?.keyBytes ?? 0, encr: suite.encr.keyBytes }, terms);
    terms.sharedSecret.fill(0);
    const { SK_ei, SK_ai, SK_er, SK_ar } = this.keys;
    const fromInitiator = new Protection(suite.encr, suite.integ, SK_ei, SK_ai);
    const fromResponder = new Protection(suite.encr, suite.integ, SK_er, SK_ar);
    this.#outbound = role === 'initiator' ? fromInitiator : fromResponder;
    this.#inbound = role === 'initiator' ? fromResponder : fromInitiator;
  }

  seal(message: {
    readonly exchange: ExchangeType;
    readonly messageId: number;
    readonly response: boolean;
    readonly payloads: readonly Payload[];
  }): Uint8Array {
    // Zeros would still encrypt, and anybody could read it.
    if (this.#wiped) throw new Error('the keys of this IKE SA have been wiped');
    const { exchange, messageId, response, payloads } = message;
    const { SPIi, SPIr } = this;
    const header = { SPIi, SPIr, exchange, initiator: this.role === 'initiator', response, messageId };
    return sealMessage(header, payloads, this.#outbound, this.#random);
  }

  open(bytes: Uint8Array): Message | OpenError {
    return openMessage(bytes, this.#inbound);
  }

  /** Every secret of the SA becomes zero; sealing throws afterwards. */
  wipe(): void {
    this.#wiped = true;
    wipeIkeKeys(this.keys);
    this.#outbound.wipe();
    this.#inbound.wipe();
  }
}
