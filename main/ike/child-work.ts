// What is done with the CHILD SAs of a connection, whichever of its IKE SAs carries it: made, rekeyed, deleted, by us and by the peer, and
// every collision of the two (RFC 7296 §1.3.1, §1.3.3, §1.4.1, §2.8.1, §2.25.1).
//
// What is to be done follows from the state of each CHILD SA (child-set.ts), not from a queue: `next` says the one request that is worth
// sending now, so nothing is sent that a collision has made superfluous meanwhile.
import { ProposalError } from '../crypto/proposal.ts';
import { ProtocolId } from '../crypto/transform.ts';
import { Backoff } from './backoff.ts';
import type { ChildSa } from './child-sa.ts';
import { type Child, ChildSet, type Line } from './child-set.ts';
import { type ChildHost, type ChildTerms, expired, notInstalled, policyFor, rekeyRequest } from './child-terms.ts';
import type { IkeError } from './error.ts';
import type { Answer } from './established.ts';
import { NotifyType, notifyName } from './notify.ts';
import type { Payload } from './payload/payload.ts';
import { randomChildSpi } from './spi.ts';
import { statusNotify, wipeChild } from './task/child.ts';
import { type CreateChildOutcome, CreateChildTask } from './task/create-child.ts';
import { answerCreateChild, type ChildPolicy, childNotFound, rekeyedSpi } from './task/create-child-responder.ts';
import { DeleteChildTask } from './task/delete.ts';
import { FollowUpTask, type PendingFollowUps } from './task/follow-up.ts';
import { compareNonces } from './task/key-exchange.ts';
import type { Instant } from './timing.ts';

interface Operation {
  readonly task: CreateChildTask;
  readonly line: Line;
  /** What it replaces. */
  readonly child: Child | undefined;
  /** What the peer has deleted meanwhile and we do not know: perhaps what it makes, if its answer is late or lost. */
  readonly deleted: Set<number>;
  /** Additional key exchanges are under way (RFC 9370 §2.2.4). */
  followsUp: boolean;
}

/** What the peer has begun, and goes on with by IKE_FOLLOWUP_KE. */
interface Pending {
  readonly follow: PendingFollowUps<ChildSa>;
  readonly line: Line;
  readonly old: Child | undefined;
  readonly unasked: boolean;
  readonly until: Instant;
}

/** Milliseconds between two IKE_FOLLOWUP_KE of the peer's. */
const FOLLOW_UP_PATIENCE = 60_000;

/** A CHILD SA that the peer deletes again and again is not made for ever. */
const MOST_REMAKES = 3;

export class ChildWork {
  readonly set: ChildSet;
  readonly #terms: ChildTerms;
  readonly #host: ChildHost;
  /** What we have asked for ourselves; the peer's live as long as their CHILD SAs. */
  readonly #lines: Line[] = [];
  readonly #backoff: Backoff;
  #operation: Operation | undefined;
  #pending: Pending | undefined;
  #deletion: readonly Child[] | undefined;
  /** SPIs that we named and never received with: the peer is to forget them. */
  #unused: readonly number[] = [];

  constructor(terms: ChildTerms, host: ChildHost) {
    this.#terms = terms;
    this.#host = host;
    this.set = new ChildSet(host.outbox, terms.lifetime, host.random);
    this.#backoff = new Backoff(host.random);
    for (const request of terms.requests) this.#lines.push({ name: request.name, request, wanted: true, remade: 0 });
  }

  /** The CHILD SA that IKE_AUTH has made. */
  adopt(sa: ChildSa, now: Instant) {
    this.set.add(sa, this.#lines[0] ?? theirLine(), 'kept', now).carried = true;
  }

  /** Something is under way that rekeying the IKE SA would cross (RFC 7296 §2.25.1). */
  get isBusy(): boolean {
    return (
      this.#operation !== undefined ||
      this.#pending !== undefined ||
      this.#deletion !== undefined ||
      this.set.all.some(({ fate }) => fate === 'to-delete' || fate === 'replaced')
    );
  }

  /** When `tick` or `next` has something to do; null: never. */
  get deadline(): Instant | null {
    const times: (Instant | null)[] = [this.#pending?.until ?? null];
    for (const child of this.set.all) {
      if (child.theirsUntil !== null && child.fate === 'theirs') times.push(child.theirsUntil);
      if (child.fate !== 'kept') continue;
      times.push(child.expires);
      if (this.#isFree && !this.#rivalOf(child))
        times.push(child.rekeyAt === null ? null : this.#notBefore(child.rekeyAt));
    }
    if (this.#isFree && this.#lines.some((line) => this.#isMissing(line))) times.push(this.#backoff.until);
    const set = times.filter((at) => at !== null);
    return set.length > 0 ? Math.min(...set) : null;
  }

  get #isFree(): boolean {
    return this.#operation === undefined && this.#deletion === undefined;
  }

  #notBefore(at: Instant): Instant {
    return Math.max(at, this.#backoff.until ?? at);
  }

  tick(now: Instant) {
    if (this.#pending && now >= this.#pending.until) this.#dropPending();
    for (const child of this.set.all) {
      if (child.fate === 'theirs' && child.theirsUntil !== null && now >= child.theirsUntil) child.fate = 'to-delete';
      if (child.fate === 'kept' && child.expires !== null && now >= child.expires)
        return this.#host.failed(expired(), now);
    }
  }

  /** The request to send next, none in flight. `onlyDeletes`: the IKE SA is to be rekeyed first. */
  next(now: Instant, onlyDeletes: boolean): CreateChildTask | DeleteChildTask | undefined {
    if (this.#unused.length > 0) {
      const task = new DeleteChildTask(this.#unused);
      this.#unused = [];
      this.#deletion = [];
      return task;
    }
    const superfluous = this.set.all.filter(({ fate }) => fate === 'to-delete');
    if (superfluous.length > 0) {
      for (const child of superfluous) child.fate = 'deleting';
      this.#deletion = superfluous;
      return new DeleteChildTask(superfluous.map(({ spiIn }) => spiIn));
    }
    if (onlyDeletes || !this.#backoff.allows(now)) return undefined;
    const due = this.set.all.find(
      (child) =>
        child.fate === 'kept' &&
        child.line.wanted &&
        child.rekeyAt !== null &&
        now >= child.rekeyAt &&
        !this.#rivalOf(child),
    );
    if (due) return this.#begin(due.line, due);
    const missing = this.#lines.find((line) => this.#isMissing(line));
    return missing && this.#begin(missing, undefined);
  }

  /** Rekey it as soon as possible. Unknown ones are ignored: they have been replaced already. */
  rekey(spiIn: number, now: Instant) {
    const child = this.set.inbound(spiIn);
    if (child?.fate === 'kept') child.rekeyAt = Math.min(child.rekeyAt ?? now, now);
  }

  /** Delete it, or what has replaced it; nothing replaces it any more. */
  delete(spiIn: number) {
    const line = this.set.inbound(spiIn)?.line;
    if (!line) return;
    line.wanted = false;
    for (const child of this.set.all) if (child.line === line && child.fate !== 'deleting') child.fate = 'to-delete';
  }

  /** The data plane has it, or could not take it. */
  installed(spiIn: number, error: string | undefined, now: Instant) {
    const child = this.set.inbound(spiIn);
    if (!child) return;
    const older = this.set.all.filter((other) => other.replacement === child);
    if (error === undefined) {
      for (const other of older) if (other.fate === 'replaced') other.fate = 'to-delete';
      return;
    }
    const others = this.set.all.some((other) => other !== child && other.line === child.line);
    if (!others) return this.#host.failed(notInstalled(error), now);
    this.#host.outbox.push({ kind: 'log', level: 'warn', text: `a CHILD SA could not be installed: ${error}` });
    child.fate = 'to-delete';
    this.#backoff.refused(now);
    for (const other of older) {
      other.fate = 'kept';
      other.replacement = undefined;
      other.rekeyAt = now;
    }
  }

  // Requests of ours.

  #isMissing(line: Line): boolean {
    if (!line.wanted || line.request === undefined) return false;
    if (this.#operation?.line === line) return false;
    return !this.set.all.some((child) => child.line === line && child.fate !== 'deleting');
  }

  #begin(line: Line, child: Child | undefined, group?: number): CreateChildTask | undefined {
    const { random, sa, outbox } = this.#host;
    const spiIn = randomChildSpi(random);
    const request = child ? rekeyRequest(child, this.#terms.accepts) : line.request;
    if (!request) return undefined;
    const terms = { sa, request, rekeys: child?.spiIn, spiIn, localAddress: sa.local.address, group };
    try {
      const task = new CreateChildTask(terms, random);
      this.#operation = { task, line, child, deleted: new Set(), followsUp: false };
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
    const operation = this.#operation;
    if (!operation || operation.task !== task) throw new Error('an answer to nothing');
    const { line, child } = operation;
    if (outcome.kind === 'more' && this.#goesOn(operation, outcome.least)) return new FollowUpTask(task);
    this.#operation = undefined;
    task.wipe();
    const { outbox } = this.#host;
    switch (outcome.kind) {
      case 'more':
        // RFC 9370 §2.2.4: it has lost a collision, and nothing is made yet that would have to be deleted.
        outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
        if (child) this.#settle(child, now);
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
        if (child && (this.#rivalOf(child) || !this.set.has(child))) {
          this.#settle(child, now);
          return undefined;
        }
        return this.#begin(line, child, outcome.group);
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
    if (rival && this.#pending?.old === child) this.#dropPending();
    operation.followsUp = true;
    return true;
  }

  /** What the peer has made, or is making, in the place of it. */
  #rivalOf(child: Child): Child['rival'] {
    const { rival } = child;
    if (!rival) return undefined;
    return (rival.child ? this.set.has(rival.child) : this.#pending?.old === child) ? rival : undefined;
  }

  #dropPending() {
    this.#pending?.follow.wipe();
    this.#pending = undefined;
  }

  #made(sa: ChildSa, least: Uint8Array, line: Line, old: Child | undefined, now: Instant) {
    const { outbox } = this.#host;
    const there = old && this.set.has(old) ? old : undefined;
    const replaces = there?.spiIn;
    // It counts though it may have been replaced itself by now, if our answer was late.
    const rival = old?.rival && (old.rival.child || this.#pending?.old === old) ? old.rival : undefined;
    const other = this.set.all.find((child) => child.line === line && child !== there && child.fate === 'kept');
    if (!line.wanted) {
      // It was to be deleted while it was being made.
      wipeChild(sa);
      outbox.push({ kind: 'cancelChild', spiIn: sa.spiIn });
      this.set.add(sa, line, 'to-delete', now);
      if (there && there.fate === 'kept') there.fate = 'to-delete';
      return;
    }
    // RFC 7296 §2.8.1: the SA made with the lowest of the four nonces goes, by the hand of who made it.
    if (rival && compareNonces(least, rival.least) < 0 && (other || !rival.child)) {
      this.set.install(sa, line, { activate: 'never', replaces: replaces ?? other?.spiIn }, now);
      if (there) this.set.leaveToPeer(there, now);
      return;
    }
    const how = { activate: 'now' as const, replaces: replaces ?? other?.spiIn };
    const child = this.set.install(sa, line, how, now);
    if (rival && !rival.child) this.#dropPending();
    else if (rival?.child && this.set.has(rival.child)) this.set.leaveToPeer(rival.child, now);
    if (!there) return;
    there.fate = 'replaced';
    there.replacement = child;
  }

  /** The peer has deleted it before its answer reached us. */
  #stillborn(sa: ChildSa, line: Line, old: Child | undefined, now: Instant) {
    wipeChild(sa);
    this.#host.outbox.push({ kind: 'cancelChild', spiIn: sa.spiIn });
    this.#backoff.refused(now);
    if (old && this.set.has(old)) this.#settle(old, now);
    else this.#lostLine(line);
  }

  /** Ours has come to nothing: what the peer has made of it stands. */
  #settle(child: Child, now: Instant) {
    if (!this.set.has(child)) return;
    if (this.#rivalOf(child)?.child) this.set.leaveToPeer(child, now);
  }

  #refused(type: number, error: IkeError, line: Line, child: Child | undefined, now: Instant) {
    const { outbox } = this.#host;
    if (!line.wanted) return;
    // RFC 7296 §2.8.1: where the peer has replaced or deleted it already, our own attempt is of no interest.
    if (child && (!this.set.has(child) || this.#rivalOf(child))) return this.#settle(child, now);
    outbox.push({ kind: 'log', level: 'info', text: `the peer refuses a CHILD SA for now: ${notifyName(type)}` });
    switch (type) {
      case NotifyType.TEMPORARY_FAILURE:
      case NotifyType.STATE_NOT_FOUND:
        if (this.#backoff.refused(now) === 'exhausted') this.#host.failed(error, now);
        return;
      case NotifyType.CHILD_SA_NOT_FOUND:
        // RFC 7296 §2.25: the two ends disagree; what the peer does not have is worth nothing.
        if (child) this.set.remove([child], 'peer');
        this.#remake(line);
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
        if (this.set.all.length === 0) this.#host.failed(error, now);
    }
  }

  /** The peer has made one that we cannot use: it goes, and the old one stays. */
  #unusable(task: CreateChildTask, line: Line, child: Child | undefined, error: IkeError, now: Instant) {
    this.#host.outbox.debug(`deleting what the peer has made as 0x${task.terms.spiIn.toString(16)}`);
    this.#unused = [...this.#unused, task.terms.spiIn];
    this.#refused(NotifyType.NO_PROPOSAL_CHOSEN, error, line, child, now);
  }

  #remake(line: Line) {
    if (line.request === undefined || !line.wanted) return;
    line.remade++;
    if (line.remade <= MOST_REMAKES) return;
    line.wanted = false;
    this.#host.outbox.push({
      kind: 'log',
      level: 'warn',
      text: 'the peer keeps deleting a CHILD SA: it is not made again',
    });
  }

  /** Our Delete is answered: what the peer has not deleted itself meanwhile is gone now. */
  deleted() {
    const gone = this.#deletion ?? [];
    this.#deletion = undefined;
    this.set.remove(
      gone.filter((child) => this.set.has(child)),
      'us',
    );
  }

  // Requests of the peer.

  answerCreate(request: readonly Payload[], busyWithIke: boolean, now: Instant): Answer {
    const { outbox } = this.#host;
    const no = (payload: Payload, why: string): Answer => {
      outbox.debug(`refused a CREATE_CHILD_SA of the peer: ${why}`);
      return { payloads: [payload] };
    };
    const later = (why: string): Answer => no(statusNotify(NotifyType.TEMPORARY_FAILURE), why);
    const spi = rekeyedSpi(request);
    if (spi === 'mangled') return no(statusNotify(NotifyType.INVALID_SYNTAX), 'its REKEY_SA names no ESP SPI');
    const old = spi === undefined ? undefined : this.set.outbound(spi);
    if (spi !== undefined && !old)
      // The answer that tells us of it may be late or lost: what is not known yet is not gone.
      return this.#operation
        ? later('it may be what we are making')
        : no(childNotFound(spi), 'there is no such CHILD SA');
    if (busyWithIke) return later('the IKE SA is being rekeyed');
    if (!old) return this.#answerNew(request, no, now);
    // RFC 7296 §2.25.1: what we are closing, or have replaced, is not rekeyed.
    if (old.fate !== 'kept') return later(`that CHILD SA is ${old.fate}`);
    // RFC 9370 §2.2.4: the peer has lost our answer, or would know of ours.
    const ours = this.#operation?.child === old && this.#operation.followsUp;
    if (ours || this.#rivalOf(old)?.child) return later('that CHILD SA is being rekeyed already');
    const policy = policyFor(old, this.#terms.accepts);
    return this.#agree(request, policy, old.line, old, no, now);
  }

  /** One more: from a client whatever the configuration allows, from a gateway what we have asked for. */
  #answerNew(request: readonly Payload[], no: (payload: Payload, why: string) => Answer, now: Instant): Answer {
    const { accepts, most } = this.#terms;
    if (accepts) {
      const lines = new Set(this.set.all.map(({ line }) => line));
      if (lines.size >= most) return no(statusNotify(NotifyType.NO_ADDITIONAL_SAS), `it has ${lines.size} already`);
      return this.#agree(request, accepts, theirLine(), undefined, no, now);
    }
    if (this.#operation) return no(statusNotify(NotifyType.TEMPORARY_FAILURE), 'we are making one ourselves');
    let refusal: Answer | undefined;
    for (const line of this.#lines) {
      const asked = line.wanted ? line.request : undefined;
      // Some rekey without saying so: one that stands beside the one that it is to replace is taken.
      const beside = this.set.all.filter((child) => child.line === line);
      if (!asked || beside.length > 1) continue;
      const { proposals, unencrypted, mode, pfs } = asked;
      const policy: ChildPolicy = {
        proposals,
        unencrypted,
        modes: [mode],
        pfs,
        local: beside[0]?.local ?? asked.local,
        remote: beside[0]?.remote ?? asked.remote,
      };
      const answer = this.#agree(request, policy, line, beside[0], no, now, true);
      if (answer.after) return answer;
      refusal = answer;
    }
    return refusal ?? no(statusNotify(NotifyType.NO_ADDITIONAL_SAS), 'we have asked for no more');
  }

  #agree(
    request: readonly Payload[],
    policy: ChildPolicy,
    line: Line,
    old: Child | undefined,
    no: (payload: Payload, why: string) => Answer,
    now: Instant,
    unasked = false,
  ): Answer {
    const { sa, random } = this.#host;
    const answer = answerCreateChild(request, { sa, policy, spiIn: randomChildSpi(random), random });
    if (answer.kind === 'refused') {
      const [first] = answer.payloads;
      return first ? no(first, answer.why) : { payloads: [] };
    }
    this.#dropPending();
    if (answer.kind === 'made') this.#accept(answer.child, answer.least, { line, old, unasked }, now);
    else {
      const { pending: follow } = answer;
      this.#pending = { follow, line, old, unasked, until: now + FOLLOW_UP_PATIENCE };
      if (old && !unasked) old.rival = { child: undefined, least: follow.least };
    }
    return { payloads: answer.payloads, after: () => {} };
  }

  /** An IKE_FOLLOWUP_KE of the peer's; undefined: not for what it has begun here. */
  answerFollowUp(request: readonly Payload[], now: Instant): Answer | undefined {
    const pending = this.#pending;
    if (!pending?.follow.matches(request)) return undefined;
    const answer = pending.follow.answer(request);
    switch (answer.kind) {
      case 'refused':
        this.#dropPending();
        this.#host.outbox.debug(`refused an IKE_FOLLOWUP_KE of the peer: ${answer.why}`);
        return { payloads: [statusNotify(NotifyType.INVALID_SYNTAX)] };
      case 'more':
        this.#pending = { ...pending, until: now + FOLLOW_UP_PATIENCE };
        return { payloads: answer.payloads };
      case 'made':
        this.#pending = undefined;
        this.#accept(answer.made, pending.follow.least, pending, now);
        return { payloads: answer.payloads };
    }
  }

  #accept(
    sa: ChildSa,
    least: Uint8Array,
    { line, old, unasked }: Pick<Pending, 'line' | 'old' | 'unasked'>,
    now: Instant,
  ) {
    const there = old && this.set.has(old) ? old : undefined;
    const activate = there ? ('first-inbound' as const) : ('now' as const);
    const child = this.set.install(sa, line, { activate, replaces: there?.spiIn }, now);
    line.remade = 0;
    if (!line.wanted) child.fate = 'to-delete';
    if (!there) return;
    if (!unasked) there.rival = { child, least };
    // While our own rekeying of it is on its way nothing is decided yet (RFC 7296 §2.8.1).
    if (this.#operation?.child !== there && there.fate === 'kept') this.set.leaveToPeer(there, now);
  }

  /** The peer deletes what it receives with as `spis`; the answer has our halves of the pairs (RFC 7296 §1.4.1). */
  answerDelete(spis: readonly number[], now: Instant): Answer {
    const children = this.set.all.filter((child) => spis.includes(child.spiOut));
    for (const spi of spis) if (!this.set.outbound(spi)) this.#operation?.deleted.add(spi);
    // RFC 7296 §1.4.1, §2.25.1: where both delete at once, the answers name nothing.
    const paired = children.filter(({ fate }) => fate !== 'deleting').map(({ spiIn }) => spiIn);
    return {
      payloads: paired.length > 0 ? [{ kind: 'delete', protocol: ProtocolId.ESP, spis: paired }] : [],
      after: () => {
        this.set.remove(children, 'peer');
        for (const child of children) this.#lost(child, now);
      },
    };
  }

  #lost(child: Child, now: Instant) {
    // A replacement that the peer takes back: what it was to replace goes on.
    for (const other of this.set.all)
      if (other.rival?.child === child) {
        other.rival = undefined;
        if (other.fate === 'theirs') {
          other.fate = 'kept';
          other.theirsUntil = null;
          if (other.rekeyAt !== null) other.rekeyAt = Math.max(other.rekeyAt, now);
        }
      }
    this.#lostLine(child.line);
  }

  #lostLine(line: Line) {
    const goesOn =
      this.#operation?.line === line || this.set.all.some((other) => other.line === line && other.fate !== 'deleting');
    if (goesOn || !line.wanted) return;
    if (this.#terms.remake) this.#remake(line);
    else line.wanted = false;
  }

  /** When the first CHILD SA in use comes to its end; undefined: none does. */
  get expires(): Instant | undefined {
    const ends = this.set.all.flatMap(({ fate, expires }) => (fate === 'kept' && expires !== null ? [expires] : []));
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /** The connection is over: what is under way is given up, and nothing is expected any more. */
  wipe() {
    const { task } = this.#operation ?? {};
    task?.wipe();
    if (task) this.#host.outbox.push({ kind: 'cancelChild', spiIn: task.terms.spiIn });
    this.#operation = undefined;
    this.#dropPending();
  }
}

/** Of a CHILD SA that only the peer has asked for. */
const theirLine = (): Line => ({ name: undefined, request: undefined, wanted: true, remade: 0 });
