// The exchanges about CHILD SAs that are under way: one of ours and one of the peer's at most. Where both replace the same CHILD SA they
// collide, and either side of it (child-requests.ts, child-answers.ts) looks here for the other (RFC 7296 §2.8.1, §2.25.1, RFC 9370 §2.2.4).
import type { ChildSa } from './child-sa.ts';
import type { Child, ChildSet, Line } from './child-set.ts';
import type { CreateChildTask } from './task/create-child.ts';
import type { PendingFollowUps } from './task/follow-up.ts';
import type { Instant } from './timing.ts';

/** What we have asked for. */
export interface Operation {
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
export interface Pending {
  readonly follow: PendingFollowUps<ChildSa>;
  readonly line: Line;
  readonly old: Child | undefined;
  readonly unasked: boolean;
  readonly until: Instant;
}

export class ChildExchanges {
  readonly #set: ChildSet;
  ours: Operation | undefined;
  theirs: Pending | undefined;

  constructor(set: ChildSet) {
    this.#set = set;
  }

  /** What the peer has made, or is making, in the place of it. */
  rivalOf(child: Child): Child['rival'] {
    const { rival } = child;
    if (!rival) return undefined;
    return (rival.child ? this.#set.has(rival.child) : this.theirs?.old === child) ? rival : undefined;
  }

  /** Ours has come to nothing: what the peer has made of it stands. */
  settle(child: Child, now: Instant) {
    if (!this.#set.has(child)) return;
    if (this.rivalOf(child)?.child) this.#set.leaveToPeer(child, now);
  }

  dropTheirs() {
    this.theirs?.follow.wipe();
    this.theirs = undefined;
  }
}
