// What we ask of the peer about CHILD SAs by CREATE_CHILD_SA, and what becomes of its answers: a CHILD SA more, another in the place of
// one, a refusal, or a collision with what the peer has asked for meanwhile (RFC 7296 §1.3.1, §1.3.3, §2.8.1, §2.25.1).
import { ProposalError } from '../crypto/proposal.ts';
import type { Backoff } from './backoff.ts';
import type { ChildExchanges, Operation } from './child-exchanges.ts';
import type { ChildLines } from './child-lines.ts';
import type { ChildSa } from './child-sa.ts';
import type { Child, ChildSet, Line } from './child-set.ts';
import { type ChildHost, type ChildTerms, rekeyRequest } from './child-terms.ts';
import type { IkeError } from './error.ts';
import { NotifyType, notifyName } from './notify.ts';
import { randomChildSpi } from './spi.ts';
import { wipeChild } from './task/child.ts';
import { type CreateChildOutcome, CreateChildTask } from './task/create-child.ts';
import { FollowUpTask } from './task/follow-up.ts';
import { compareNonces } from './task/key-exchange.ts';
import type { Instant } from './timing.ts';

export class ChildRequests {
  readonly #terms: ChildTerms;
  readonly #host: ChildHost;
  readonly #set: ChildSet;
  readonly #exchanges: ChildExchanges;
  readonly #lines: ChildLines;
  readonly #backoff: Backoff;
  /** SPIs that we named and never received with: the peer is to forget them. */
  #unused: number[] = [];

  constructor(
    terms: ChildTerms,
    host: ChildHost,
    set: ChildSet,
    exchanges: ChildExchanges,
    lines: ChildLines,
    backoff: Backoff,
  ) {
    this.#terms = terms;
    this.#host = host;
    this.#set = set;
    this.#exchanges = exchanges;
    this.#lines = lines;
    this.#backoff = backoff;
  }

  /** Those SPIs, once. */
  takeUnused(): readonly number[] {
    const unused = this.#unused;
    this.#unused = [];
    return unused;
  }

  /** Makes it, or what replaces `child`; undefined where that cannot even be proposed. */
  begin(line: Line, child: Child | undefined, group?: number): CreateChildTask | undefined {
    const { random, sa, outbox } = this.#host;
    const spiIn = randomChildSpi(random);
    const request = child ? rekeyRequest(child, this.#terms.accepts) : line.request;
    if (!request) return undefined;
    const terms = { sa, request, rekeys: child?.spiIn, spiIn, localAddress: sa.local.address, group };
    try {
      const task = new CreateChildTask(terms, random);
      this.#exchanges.ours = { task, line, child, deleted: new Set(), followsUp: false };
      outbox.push({ kind: 'expectChild', spiIn });
      return task;
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error;
      line.wanted = false;
      outbox.push({ kind: 'log', level: 'warn', text: `no CHILD SA: ${error.message}` });
      return undefined;
    }
  }

  /** The answer to what `next` gave. Returns a request to send in its place, at once. */
  created(
    task: CreateChildTask,
    outcome: CreateChildOutcome,
    now: Instant,
  ): CreateChildTask | FollowUpTask | undefined {
    const operation = this.#exchanges.ours;
    if (!operation || operation.task !== task) throw new Error('an answer to nothing');
    const { line, child } = operation;
    if (outcome.kind === 'more' && this.#goesOn(operation, outcome.least)) return new FollowUpTask(task);
    this.#exchanges.ours = undefined;
    task.wipe();
    const { outbox } = this.#host;
    switch (outcome.kind) {
      case 'more':
        // RFC 9370 §2.2.4: it has lost a collision, and nothing is made yet that would have to be deleted.
        outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
        if (child) this.#exchanges.settle(child, now);
        return undefined;
      case 'made':
        if (operation.deleted.has(outcome.child.spiOut)) {
          this.#stillborn(outcome.child, line, child, now);
          return undefined;
        }
        this.#backoff.succeeded();
        line.remade = 0;
        this.#made(outcome.child, outcome.least, line, child, now);
        return undefined;
      case 'again':
        outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
        outbox.debug(`${task.name} once more: the peer wants key-exchange group ${outcome.group}`);
        // Meanwhile the peer may have replaced or deleted it.
        if (child && (this.#exchanges.rivalOf(child) || !this.#set.has(child))) {
          this.#exchanges.settle(child, now);
          return undefined;
        }
        return this.begin(line, child, outcome.group);
      case 'unusable':
        outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
        outbox.push({ kind: 'log', level: 'warn', text: outcome.error.message });
        this.#unusable(task, line, child, outcome.error, now);
        return undefined;
      case 'refused':
        outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
        this.#refused(outcome.type, outcome.error, line, child, now);
        return undefined;
    }
  }

  /** RFC 9370 §2.2.4: a collision is decided before the additional key exchanges. */
  #goesOn(operation: Operation, least: Uint8Array): boolean {
    const { line, child } = operation;
    const rival = child?.rival;
    if (!line.wanted || (rival && compareNonces(least, rival.least) < 0)) return false;
    if (rival && this.#exchanges.theirs?.old === child) this.#exchanges.dropTheirs();
    operation.followsUp = true;
    return true;
  }

  #made(sa: ChildSa, least: Uint8Array, line: Line, old: Child | undefined, now: Instant) {
    const { outbox } = this.#host;
    const there = old && this.#set.has(old) ? old : undefined;
    const replaces = there?.spiIn;
    // It counts though it may have been replaced itself by now, if our answer was late.
    const rival = old?.rival && (old.rival.child || this.#exchanges.theirs?.old === old) ? old.rival : undefined;
    const other = this.#set.all.find((child) => child.line === line && child !== there && child.fate === 'kept');
    if (!line.wanted) {
      // It was to be deleted while it was being made.
      wipeChild(sa);
      outbox.push({ kind: 'cancelChild', spiIn: sa.spiIn });
      this.#set.add(sa, line, 'to-delete', now);
      if (there && there.fate === 'kept') there.fate = 'to-delete';
      return;
    }
    // RFC 7296 §2.8.1: the SA made with the lowest of the four nonces goes, by the hand of who made it.
    if (rival && compareNonces(least, rival.least) < 0 && (other || !rival.child)) {
      this.#set.install(sa, line, { activate: 'never', replaces: replaces ?? other?.spiIn }, now);
      if (there) this.#set.leaveToPeer(there, now);
      return;
    }
    const how = { activate: 'now' as const, replaces: replaces ?? other?.spiIn };
    const child = this.#set.install(sa, line, how, now);
    if (rival && !rival.child) this.#exchanges.dropTheirs();
    else if (rival?.child && this.#set.has(rival.child)) this.#set.leaveToPeer(rival.child, now);
    if (!there) return;
    there.fate = 'replaced';
    there.replacement = child;
  }

  /** The peer has deleted it before its answer reached us. */
  #stillborn(sa: ChildSa, line: Line, old: Child | undefined, now: Instant) {
    wipeChild(sa);
    this.#host.outbox.push({ kind: 'cancelChild', spiIn: sa.spiIn });
    this.#backoff.refused(now);
    if (old && this.#set.has(old)) this.#exchanges.settle(old, now);
    else this.#lines.lost(line);
  }

  #refused(type: number, error: IkeError, line: Line, child: Child | undefined, now: Instant) {
    const { outbox } = this.#host;
    if (!line.wanted) return;
    // RFC 7296 §2.8.1: where the peer has replaced or deleted it already, our own attempt is of no interest.
    if (child && (!this.#set.has(child) || this.#exchanges.rivalOf(child))) return this.#exchanges.settle(child, now);
    outbox.push({ kind: 'log', level: 'info', text: `the peer refuses a CHILD SA for now: ${notifyName(type)}` });
    switch (type) {
      case NotifyType.TEMPORARY_FAILURE:
      case NotifyType.STATE_NOT_FOUND:
        if (this.#backoff.refused(now) === 'exhausted') this.#host.failed(error, now);
        return;
      case NotifyType.CHILD_SA_NOT_FOUND:
        // RFC 7296 §2.25: the two ends disagree; what the peer does not have is worth nothing.
        if (child) this.#set.remove([child], 'peer');
        this.#lines.remake(line);
        return;
      default:
        if (child) {
          // It goes on until its end; by then there has to be another connection.
          child.rekeyAt = null;
          this.#host.refusesRekeying(now);
          return;
        }
        line.wanted = false;
        outbox.push({ kind: 'childRefused', name: line.name, error });
        if (this.#set.all.length === 0) this.#host.failed(error, now);
    }
  }

  /** The peer has made one that we cannot use: it goes, and the old one stays. */
  #unusable(task: CreateChildTask, line: Line, child: Child | undefined, error: IkeError, now: Instant) {
    this.#host.outbox.debug(`deleting what the peer has made as 0x${task.terms.spiIn.toString(16)}`);
    this.#unused.push(task.terms.spiIn);
    this.#refused(NotifyType.NO_PROPOSAL_CHOSEN, error, line, child, now);
  }

  /** The connection is over: nothing is expected any more. */
  wipe() {
    const { task } = this.#exchanges.ours ?? {};
    task?.wipe();
    if (task) this.#host.outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
    this.#exchanges.ours = undefined;
  }
}
