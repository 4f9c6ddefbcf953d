// The initiator's first phase: IKE_SA_INIT with its cookies and changes of group (task/ike-init.ts), until keys are agreed on. Nothing in
// it is authenticated.

import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import type { Announced } from '../auth/announced.ts';
import type { IkeError } from '../error.ts';
import type { Datagram } from '../established.ts';
import { ExchangeManager } from '../exchange.ts';
import { noResponse } from '../failure.ts';
import { whole } from '../fragment.ts';
import type { InitiatorConfig } from '../initiator-config.ts';
import { decodeMessage, Exchange, encodeMessage, exchangeName, type Header } from '../message.ts';
import type { Outbox } from '../outbox.ts';
import type { CloseReason } from '../peer.ts';
import type { Puzzle } from '../puzzle.ts';
import type { IkeAnswer } from '../questions.ts';
import { checkMessage } from '../rules.ts';
import { IkeSa } from '../sa.ts';
import type { IkeInitOutcome, IkeInitTask } from '../task/ike-init.ts';
import type { Instant, RetransmissionPolicy } from '../timing.ts';
import { earliest, type InitiatorPhase } from './phase.ts';
import { placeOf } from './place.ts';
import { RememberedRefusal } from './remembered.ts';

/** What IKE_SA_INIT has come to. */
export interface Agreed {
  readonly sa: IkeSa;
  readonly announced: Announced;
  /** AUTH may cover another IKE_SA_INIT than the one that was answered: a refusal is worth one more attempt. */
  readonly ambiguous: boolean;
  /** What solves the puzzle for IKE_AUTH, where the gateway has set one (RFC 8019 §7.2). */
  readonly solution?: Uint8Array | undefined;
}

export interface InitTerms {
  readonly config: InitiatorConfig;
  readonly random: RandomBytes;
  readonly outbox: Outbox;
  readonly SPIi: bigint;
  readonly task: IkeInitTask;
  readonly retransmission: RetransmissionPolicy;
  readonly now: Instant;
  readonly agreed: (agreed: Agreed, now: Instant) => void;
  /** No good answer, or none at all: the host ends the SA, or abandons this phase and tries something else. */
  readonly failed: (outcome: 'refused' | 'silence', error: IkeError, now: Instant) => void;
  readonly close: (reason: CloseReason) => void;
}

export class InitPhase implements InitiatorPhase {
  readonly #terms: InitTerms;
  readonly #manager: ExchangeManager<IkeInitTask>;
  readonly #remembered: RememberedRefusal;
  /** The SA that waits for the solution. */
  #solvedFor: IkeSa | undefined;
  /** A puzzle is being solved: until then nothing is sent. */
  #solving:
    | { readonly id: number; readonly then: (solution: Uint8Array | undefined, now: Instant) => void }
    | undefined;

  constructor(terms: InitTerms) {
    const { config, outbox, SPIi, task, retransmission, now } = terms;
    this.#terms = terms;
    // RFC 9329 §6.4: what comes through the connection comes from the peer, or no better answer ever will.
    const patience = config.encapsulation === 'tcp' ? 0 : 2 * retransmission.first;
    this.#remembered = new RememberedRefusal(outbox, patience);
    this.#manager = new ExchangeManager<IkeInitTask>(
      {
        seal: ({ exchange, messageId, response, payloads }) =>
          whole(encodeMessage({ SPIi, SPIr: 0n, exchange, initiator: true, response, messageId }, payloads)),
        send: (bytes) =>
          outbox.push({
            kind: 'send',
            bytes,
            to: config.remote,
            transport: config.encapsulation === 'tcp' ? 'tcp' : 'ike',
          }),
      },
      retransmission,
    );
    outbox.push({ kind: 'step', step: 'sa-init' });
    this.#manager.enqueue(task, now);
  }

  get deadline(): Instant | null {
    return this.#solving ? null : earliest(this.#manager.deadline, this.#remembered.until);
  }

  tick(now: Instant): void {
    const { failed, config, task } = this.#terms;
    if (this.#solving) return;
    const refusal = this.#remembered.due(now);
    if (refusal) failed('refused', refusal, now);
    else if (this.#manager.tick(now) === 'exhausted') {
      const { error } = this.#remembered;
      if (error) failed('refused', error, now);
      else failed('silence', noResponse(task.name, config.remote, 'initiator'), now);
    }
  }

  receive(datagram: Datagram, header: Header, now: Instant): void {
    const why = this.#process(datagram, header, now);
    if (why !== undefined) this.#terms.outbox.debug(`dropped an IKE message: ${why}`);
  }

  askedToClose(): void {
    this.#terms.close({ by: 'us' });
  }

  answer(id: number, answer: IkeAnswer, now: Instant): void {
    const solving = this.#solving;
    if (solving?.id !== id) return;
    this.#solving = undefined;
    solving.then(answer.kind === 'solved' ? answer.solution : undefined, now);
  }

  #solve(puzzle: Puzzle, then: (solution: Uint8Array | undefined, now: Instant) => void): void {
    const { outbox } = this.#terms;
    outbox.push({
      kind: 'log',
      level: 'info',
      text: `the gateway is under load and sets a puzzle of ${puzzle.difficulty || 'some'} bits: solving it`,
    });
    this.#solving = { id: outbox.ask({ kind: 'puzzle', puzzle }), then };
  }

  abandon(): void {
    this.#terms.task.wipe();
    this.#solvedFor?.wipe();
  }

  /** Why the datagram was dropped, if it was. */
  #process(datagram: Datagram, header: Header, now: Instant): string | undefined {
    const { task, outbox, agreed } = this.#terms;
    if (!header.response || header.initiator || header.exchange !== Exchange.IKE_SA_INIT)
      return `${exchangeName(header.exchange)} while we wait for the answer to IKE_SA_INIT`;
    if (this.#solving) return 'a puzzle is being solved';
    if (!this.#manager.awaits(header.messageId)) return `message ID ${header.messageId} in IKE_SA_INIT`;
    const message = decodeMessage(datagram.bytes);
    if (isWireError(message)) return message.toString();
    const violation = checkMessage(message);
    if (violation) return violation.text;
    const outcome = task.process(message, datagram.from);
    switch (outcome.kind) {
      case 'again':
        outbox.debug(`IKE_SA_INIT once more: ${outcome.why}`);
        this.#remembered.forget();
        this.#manager.rebuild(task, now);
        return undefined;
      case 'puzzle':
        this.#remembered.forget();
        this.#solve(outcome.puzzle, (solution, at) => {
          if (solution) task.solved(solution);
          this.#manager.rebuild(task, at);
        });
        return undefined;
      case 'redirected':
        this.#terms.close({ by: 'redirect', to: outcome.to });
        return undefined;
      case 'stale':
        return outcome.why;
      case 'refused':
        this.#remembered.remember(outcome.error, now);
        return undefined;
      case 'agreed': {
        const sa = this.#agreedSa(outcome, Uint8Array.from(datagram.bytes));
        task.wipe();
        const settled = { sa, announced: outcome.announced, ambiguous: task.isAmbiguous };
        if (!outcome.puzzle) agreed(settled, now);
        else {
          this.#solvedFor = sa;
          this.#solve(outcome.puzzle, (solution, at) => {
            this.#solvedFor = undefined;
            agreed({ ...settled, solution }, at);
          });
        }
        return undefined;
      }
    }
  }

  #agreedSa(outcome: Extract<IkeInitOutcome, { readonly kind: 'agreed' }>, realMessage2: Uint8Array): IkeSa {
    const { config, SPIi, task, random } = this.#terms;
    const realMessage1 = this.#manager.inFlightBytes;
    if (!realMessage1) throw new Error('an answer to nothing');
    const where = placeOf(config, outcome);
    const terms = { ...outcome, ...where, role: 'initiator' as const, SPIi, Ni: task.Ni };
    return new IkeSa({ ...terms, realMessage1, realMessage2 }, random);
  }
}
