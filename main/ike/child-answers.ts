// What the peer asks of us about CHILD SAs, and what we answer: CREATE_CHILD_SA and the IKE_FOLLOWUP_KE behind it, and Delete (RFC 7296
// §1.3.1, §1.3.3, §1.4.1, §2.8.1, §2.25.1, RFC 9370 §2.2.4). What the messages of an agreement hold is task/create-child-responder.ts.
import { ProtocolId } from '../crypto/transform.ts';
import type { ChildExchanges, Pending } from './child-exchanges.ts';
import { type ChildLines, theirLine } from './child-lines.ts';
import type { ChildSa } from './child-sa.ts';
import type { Child, ChildSet, Line } from './child-set.ts';
import { type ChildHost, type ChildTerms, policyFor } from './child-terms.ts';
import type { Answer } from './established.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { Payload } from './payload/payload.ts';
import { randomChildSpi } from './spi.ts';
import type { ChildPolicy } from './task/child-policy.ts';
import { answerCreateChild, childNotFound, rekeyedSpi } from './task/create-child-responder.ts';
import type { Instant } from './timing.ts';

/** Milliseconds between two IKE_FOLLOWUP_KE of the peer's. */
const FOLLOW_UP_PATIENCE = 60_000;

export class ChildAnswers {
  readonly #terms: ChildTerms;
  readonly #host: ChildHost;
  readonly #set: ChildSet;
  readonly #exchanges: ChildExchanges;
  readonly #lines: ChildLines;

  constructor(terms: ChildTerms, host: ChildHost, set: ChildSet, exchanges: ChildExchanges, lines: ChildLines) {
    this.#terms = terms;
    this.#host = host;
    this.#set = set;
    this.#exchanges = exchanges;
    this.#lines = lines;
  }

  /** `busyWithIke`: the IKE SA is being rekeyed, and with it everything moves (RFC 7296 §2.25.2). */
  create(request: readonly Payload[], busyWithIke: boolean, now: Instant): Answer {
    const { outbox } = this.#host;
    const no = (payload: Payload, why: string): Answer => {
      outbox.debug(`refused a CREATE_CHILD_SA of the peer: ${why}`);
      return { payloads: [payload] };
    };
    const later = (why: string): Answer => no(notifyOf(NotifyType.TEMPORARY_FAILURE), why);
    const spi = rekeyedSpi(request);
    if (spi === 'mangled') return no(notifyOf(NotifyType.INVALID_SYNTAX), 'its REKEY_SA names no ESP SPI');
    const old = spi === undefined ? undefined : this.#set.outbound(spi);
    if (spi !== undefined && !old)
      // The answer that tells us of it may be late or lost: what is not known yet is not gone.
      return this.#exchanges.ours
        ? later('it may be what we are making')
        : no(childNotFound(spi), 'there is no such CHILD SA');
    if (busyWithIke) return later('the IKE SA is being rekeyed');
    if (!old) return this.#answerNew(request, no, now);
    // RFC 7296 §2.25.1: what we are closing, or have replaced, is not rekeyed.
    if (old.fate !== 'kept') return later(`that CHILD SA is ${old.fate}`);
    // RFC 9370 §2.2.4: the peer has lost our answer, or would know of ours.
    const ours = this.#exchanges.ours?.child === old && this.#exchanges.ours.followsUp;
    if (ours || this.#exchanges.rivalOf(old)?.child) return later('that CHILD SA is being rekeyed already');
    const policy = policyFor(old, this.#terms.accepts);
    return this.#agree(request, policy, old.line, old, no, now);
  }

  /** One more: from a client whatever the configuration allows, from a gateway what we have asked for. */
  #answerNew(request: readonly Payload[], no: (payload: Payload, why: string) => Answer, now: Instant): Answer {
    const { accepts, most } = this.#terms;
    if (accepts) {
      const lines = new Set(this.#set.all.map(({ line }) => line));
      if (lines.size >= most) return no(notifyOf(NotifyType.NO_ADDITIONAL_SAS), `it has ${lines.size} already`);
      return this.#agree(request, accepts, theirLine(), undefined, no, now);
    }
    if (this.#exchanges.ours) return no(notifyOf(NotifyType.TEMPORARY_FAILURE), 'we are making one ourselves');
    let refusal: Answer | undefined;
    for (const line of this.#lines.ours) {
      const asked = line.wanted ? line.request : undefined;
      // Some rekey without saying so: one that stands beside the one that it is to replace is taken.
      const beside = this.#set.all.filter((child) => child.line === line);
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
    return refusal ?? no(notifyOf(NotifyType.NO_ADDITIONAL_SAS), 'we have asked for no more');
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
    this.#exchanges.dropTheirs();
    if (answer.kind === 'made') this.#accept(answer.child, answer.least, { line, old, unasked }, now);
    else {
      const { pending: follow } = answer;
      this.#exchanges.theirs = { follow, line, old, unasked, until: now + FOLLOW_UP_PATIENCE };
      if (old && !unasked) old.rival = { child: undefined, least: follow.least };
    }
    return { payloads: answer.payloads, after: () => {} };
  }

  /** An IKE_FOLLOWUP_KE of the peer's; undefined: not for what it has begun here. */
  followUp(request: readonly Payload[], now: Instant): Answer | undefined {
    const pending = this.#exchanges.theirs;
    if (!pending?.follow.matches(request)) return undefined;
    const answer = pending.follow.answer(request);
    switch (answer.kind) {
      case 'refused':
        this.#exchanges.dropTheirs();
        this.#host.outbox.debug(`refused an IKE_FOLLOWUP_KE of the peer: ${answer.why}`);
        return { payloads: [notifyOf(NotifyType.INVALID_SYNTAX)] };
      case 'more':
        this.#exchanges.theirs = { ...pending, until: now + FOLLOW_UP_PATIENCE };
        return { payloads: answer.payloads };
      case 'made':
        this.#exchanges.theirs = undefined;
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
    const there = old && this.#set.has(old) ? old : undefined;
    const activate = there ? ('first-inbound' as const) : ('now' as const);
    const child = this.#set.install(sa, line, { activate, replaces: there?.spiIn }, now);
    line.remade = 0;
    if (!line.wanted) child.fate = 'to-delete';
    if (!there) return;
    if (!unasked) there.rival = { child, least };
    // While our own rekeying of it is on its way nothing is decided yet (RFC 7296 §2.8.1).
    if (this.#exchanges.ours?.child !== there && there.fate === 'kept') this.#set.leaveToPeer(there, now);
  }

  /** The peer deletes what it receives with as `spis`; the answer has our halves of the pairs (RFC 7296 §1.4.1). */
  delete(spis: readonly number[], now: Instant): Answer {
    const children = this.#set.all.filter((child) => spis.includes(child.spiOut));
    for (const spi of spis) if (!this.#set.outbound(spi)) this.#exchanges.ours?.deleted.add(spi);
    // RFC 7296 §1.4.1, §2.25.1: where both delete at once, the answers name nothing.
    const paired = children.filter(({ fate }) => fate !== 'deleting').map(({ spiIn }) => spiIn);
    return {
      payloads: paired.length > 0 ? [{ kind: 'delete', protocol: ProtocolId.ESP, spis: paired }] : [],
      after: () => {
        this.#set.remove(children, 'peer');
        for (const child of children) this.#lost(child, now);
      },
    };
  }

  #lost(child: Child, now: Instant) {
    // A replacement that the peer takes back: what it was to replace goes on.
    for (const other of this.#set.all)
      if (other.rival?.child === child) {
        other.rival = undefined;
        if (other.fate === 'theirs') {
          other.fate = 'kept';
          other.theirsUntil = null;
          if (other.rekeyAt !== null) other.rekeyAt = Math.max(other.rekeyAt, now);
        }
      }
    this.#lines.lost(child.line);
  }
}
