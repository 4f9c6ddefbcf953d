// Proposals as people write them ("aes256gcm16-prfsha256-ecp256", strongSwan's keywords), as they are on the wire
// (RFC 7296 §3.3), and as algorithms; and how one is chosen and an answer checked (§2.7, §3.3.6).
import type { Encr } from './encr.ts';
import type { Integ } from './integ.ts';
import type { KeyExchange } from './ke.ts';
import type { Prf } from './prf.ts';
import type { Proposal } from './transform.ts';

/** The algorithms of an IKE SA. */
export interface IkeSuite {
  /** "aes256gcm16-prfsha256-ecp256". */
  readonly name: string;
  readonly encr: Encr;
  /** undefined with an AEAD. */
  readonly integ: Integ | undefined;
  readonly prf: Prf;
  readonly ke: KeyExchange;
}

/** The algorithms of a CHILD SA. */
export interface EspSuite {
  /** "aes256gcm16-esn". */
  readonly name: string;
  readonly cipher: 'aes-gcm-16' | 'chacha20-poly1305';
  readonly keyBytes: number;
  readonly saltBytes: number;
  readonly esn: boolean;
  /** Perfect forward secrecy in CREATE_CHILD_SA; never in IKE_AUTH. */
  readonly ke: KeyExchange | undefined;
}

export type Protocol = 'ike' | 'esp';

export interface Choice {
  /** The answer: the chosen proposal's number, one transform of each type. The SPI is empty, the caller puts its own. */
  readonly answer: Proposal;
  /** The SPI that the peer offered with it. */
  readonly spi: Uint8Array;
}

/** A proposal that cannot be parsed: the keyword at fault and what to write instead. */
export class ProposalError extends Error {
  override readonly name = 'ProposalError';
  readonly keyword: string;
  readonly remedy: string;
  constructor(message: string, keyword: string, remedy: string) {
    super(message);
    this.keyword = keyword;
    this.remedy = remedy;
  }
}

// Next commit:
// parseProposal(text: string, protocol: Protocol): readonly Transform[]                      throws ProposalError
// formatTransforms(transforms: readonly Transform[]): string
// offer(texts: readonly string[], protocol: Protocol, spi: Uint8Array): readonly Proposal[]   initiator's SA payload
// choose(offered: readonly Proposal[], supported: readonly string[], protocol: Protocol, prefer?: 'initiator' | 'responder'): Choice | undefined
// checkAnswer(answer: readonly Proposal[], offered: readonly Proposal[]): Proposal | string   string: what is wrong with it
// ikeSuite(transforms: readonly Transform[]): IkeSuite; espSuite(transforms: readonly Transform[]): EspSuite
export type { Proposal, Transform } from './transform.ts';
