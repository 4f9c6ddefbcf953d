// What an IKE SA goes through before it is established, a file each; initiator.ts and responder-sa.ts hold the one that is on and
// start the next.
//
//   initiator:  init ──agreed──▶ [intermediate ──▶] auth ──authenticated──▶ established.ts
//   responder:  (task/ike-init-responder.ts) ──agreed──▶ [intermediate ──▶] auth ──authenticated──▶ established.ts
//
// A phase tells its host when it has come to its goal; the host then starts the next one. Whatever else ends a phase ends the SA.

import type { Datagram } from '../established.ts';
import type { ExchangeType, Header, Message } from '../message.ts';
import type { IkeAnswer } from '../questions.ts';
import type { Instant } from '../timing.ts';

interface AnyPhase {
  /** When `tick` has to be called next; null: never. */
  readonly deadline: Instant | null;
  tick(now: Instant): void;
  /** The answer to a question of this phase, or of one before it: those are ignored. */
  answer(id: number, answer: IkeAnswer, now: Instant): void;
  /** The SA ends here: wipes and takes back what this phase holds. Says nothing to the peer. */
  abandon(): void;
}

export interface InitiatorPhase extends AnyPhase {
  /** A datagram whose header has our SPIi. */
  receive(datagram: Datagram, header: Header, now: Instant): void;
  /** A person wants it closed: at once, or when there is something to delete properly. */
  askedToClose(now: Instant): void;
}

export interface ResponderPhase extends AnyPhase {
  /** The one exchange that the peer may begin now. */
  readonly exchange: ExchangeType;
  /** Its request: new, authentic, and legal by rules.ts. Answered now or later, or the SA ends. */
  request(message: Message, bytes: Uint8Array, now: Instant): void;
}

export const earliest = (...times: readonly (Instant | null | undefined)[]): Instant | null => {
  const set = times.filter((at) => at !== null && at !== undefined);
  return set.length > 0 ? Math.min(...set) : null;
};
