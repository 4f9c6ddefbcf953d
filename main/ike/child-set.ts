// The CHILD SAs of one connection, without their keys, which only the data plane has; and when each is to be replaced.
//
//   kept ──we rekey──▶ replaced ──the data plane sends on the new one──▶ to-delete ──▶ deleting ──answered──▶ gone
//     │                                                                     ▲
//     ├──the peer rekeys──▶ theirs ──Delete from the peer──▶ gone           │
//     │                        └── it never comes ──────────────────────────┤
//     └──lost a collision, not wanted any more, not installed ──────────────┘
//
// A line is what a CHILD SA and those that replace it have in common: its name and what was asked for.

import type { RandomBytes } from '../crypto/random.ts';
import type { Selector } from '../wire/selector.ts';
import type { ChildMode, ChildRequest, ChildSa } from './child-sa.ts';
import type { Outbox } from './outbox.ts';
import { drawn, type Instant, type LifetimePolicy, limitOf } from './timing.ts';

export interface Line {
  readonly name: string | undefined;
  /** What we ask for; undefined where the peer asked for it. */
  readonly request: ChildRequest | undefined;
  /** Set false when it is to be deleted: nothing replaces it any more. */
  wanted: boolean;
  /** So often it has been made anew from scratch since a CHILD SA of it last was rekeyed or made. */
  remade: number;
}

export type Fate =
  | 'kept'
  /** We have a new one, which the data plane does not send on yet. */
  | 'replaced'
  | 'to-delete'
  | 'deleting'
  /** The peer has a new one, or it is the peer's that lost a collision: the peer deletes it. */
  | 'theirs';

export interface Child {
  readonly line: Line;
  readonly spiIn: number;
  readonly spiOut: number;
  readonly mode: ChildMode;
  readonly proposal: string;
  readonly unencrypted: boolean | undefined;
  readonly local: readonly Selector[];
  readonly remote: readonly Selector[];
  readonly made: Instant;
  fate: Fate;
  /** The data plane has been told of it. */
  carried: boolean;
  /** To be rekeyed from then on; null: not because of time. */
  rekeyAt: Instant | null;
  /** Not to be used any longer from then on. */
  readonly expires: Instant | null;
  /**
   * What the peer has made to replace it, with the lower nonce of its exchange (RFC 7296 §2.8.1); without a child as long as additional
   * key exchanges are to come.
   */
  rival: { readonly child: Child | undefined; readonly least: Uint8Array } | undefined;
  /** Ours, that it waits for. */
  replacement: Child | undefined;
  /** `theirs` becomes `to-delete` then. */
  theirsUntil: Instant | null;
}

/** A peer that has replaced a CHILD SA deletes the old one within seconds; one that forgets is helped. */
const THEIRS_TO_DELETE = 120_000;

export class ChildSet {
  readonly #outbox: Outbox;
  readonly #lifetime: LifetimePolicy | undefined;
  readonly #random: RandomBytes;
  #children: Child[] = [];

  constructor(outbox: Outbox, lifetime: LifetimePolicy | undefined, random: RandomBytes) {
    this.#outbox = outbox;
    this.#lifetime = lifetime;
    this.#random = random;
  }

  get all(): readonly Child[] {
    return this.#children;
  }

  add(sa: ChildSa, line: Line, fate: Fate, now: Instant): Child {
    const lifetime = this.#lifetime;
    const rekeyIn = lifetime ? drawn(lifetime.child, lifetime, this.#random) : null;
    const limit = lifetime ? limitOf(lifetime.child, lifetime) : null;
    const child: Child = {
      line,
      spiIn: sa.spiIn,
      spiOut: sa.spiOut,
      mode: sa.mode,
      proposal: sa.proposal,
      unencrypted: sa.unencrypted,
      local: sa.local,
      remote: sa.remote,
      made: now,
      fate,
      carried: false,
      rekeyAt: rekeyIn === null ? null : now + rekeyIn,
      expires: limit === null ? null : now + limit,
      rival: undefined,
      replacement: undefined,
      theirsUntil: null,
    };
    this.#children.push(child);
    return child;
  }

  has(child: Child): boolean {
    return this.#children.includes(child);
  }

  /** By the SPI that we receive with. */
  inbound(spiIn: number): Child | undefined {
    return this.#children.find((child) => child.spiIn === spiIn);
  }

  /** By the SPI that the peer receives with. */
  outbound(spiOut: number): Child | undefined {
    return this.#children.find((child) => child.spiOut === spiOut);
  }

  /** The one of the line that is to go on. */
  kept(line: Line): Child | undefined {
    return this.#children.find((child) => child.line === line && child.fate === 'kept');
  }

  /** Adds it, and has the data plane carry it. */
  install(
    sa: ChildSa,
    line: Line,
    how: { readonly activate: 'now' | 'first-inbound' | 'never'; readonly replaces: number | undefined },
    now: Instant,
  ): Child {
    const child = this.add(sa, line, how.activate === 'never' ? 'to-delete' : 'kept', now);
    child.carried = true;
    this.#outbox.push({ kind: 'installChild', child: sa, ...how, name: line.name });
    return child;
  }

  leaveToPeer(child: Child, now: Instant): void {
    child.fate = 'theirs';
    child.theirsUntil = now + THEIRS_TO_DELETE;
  }

  remove(children: readonly Child[], by: 'peer' | 'us'): void {
    for (const { spiIn, spiOut, carried } of children)
      if (carried) this.#outbox.push({ kind: 'removeChild', spiIn, spiOut, by });
    this.#children = this.#children.filter((child) => !children.includes(child));
  }
}
