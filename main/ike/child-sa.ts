// A CHILD SA: what one end asks for, and what both have agreed on (RFC 7296 §1.3, §2.17).
import type { EspCipher, EspIntegrity } from '../crypto/suite.ts';
import type { Endpoint } from '../wire/address.ts';
import type { Encapsulation } from '../wire/encapsulation.ts';
import type { Selector } from '../wire/selector.ts';

export type ChildMode = 'transport' | 'tunnel';

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
