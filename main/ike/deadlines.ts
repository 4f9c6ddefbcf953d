// When each of many IKE SAs has to be looked at next. Whoever asks for the earliest pays for what has changed, not for how many there are:
// anybody can make a responder ask, with any datagram.
import type { SaName } from './peer.ts';
import type { Instant } from './timing.ts';

export class Deadlines {
  readonly #at = new Map<SaName, Instant>();
  /** undefined: to be found anew. */
  #earliest: Instant | null | undefined = null;

  /** null: never. */
  set(name: SaName, at: Instant | null): void {
    const before = this.#at.get(name);
    if (before === (at ?? undefined)) return;
    if (at === null) this.#at.delete(name);
    else this.#at.set(name, at);
    const earliest = this.#earliest;
    if (earliest === undefined) return;
    if (at !== null && (earliest === null || at <= earliest)) this.#earliest = at;
    else if (before === earliest) this.#earliest = undefined;
  }

  get earliest(): Instant | null {
    if (this.#earliest === undefined) {
      let earliest: Instant | null = null;
      for (const at of this.#at.values()) if (earliest === null || at < earliest) earliest = at;
      this.#earliest = earliest;
    }
    return this.#earliest;
  }

  due(now: Instant): readonly SaName[] {
    const names: SaName[] = [];
    if (this.earliest === null || this.earliest > now) return names;
    for (const [name, at] of this.#at) if (at <= now) names.push(name);
    return names;
  }
}
