// What is to be there: the CHILD SAs that we want, whether one of them is missing, and what becomes of one that was lost. A line is a
// CHILD SA and all that replace it (child-set.ts).
import type { ChildExchanges } from './child-exchanges.ts';
import type { ChildSet, Line } from './child-set.ts';
import type { ChildTerms } from './child-terms.ts';
import type { Outbox } from './outbox.ts';

/** A CHILD SA that the peer deletes again and again is not made for ever. */
const MOST_REMAKES = 3;

/** Of a CHILD SA that only the peer has asked for. */
export const theirLine = (): Line => ({ name: undefined, request: undefined, wanted: true, remade: 0 });

export class ChildLines {
  /** What we have asked for ourselves; the peer's live as long as their CHILD SAs. */
  readonly ours: readonly Line[];
  readonly #remakes: boolean;
  readonly #set: ChildSet;
  readonly #exchanges: ChildExchanges;
  readonly #outbox: Outbox;

  constructor({ requests, remake }: ChildTerms, set: ChildSet, exchanges: ChildExchanges, outbox: Outbox) {
    this.ours = requests.map((request) => ({ name: request.name, request, wanted: true, remade: 0 }));
    this.#remakes = remake;
    this.#set = set;
    this.#exchanges = exchanges;
    this.#outbox = outbox;
  }

  /** One of ours that has no CHILD SA, and none in the making. */
  get missing(): Line | undefined {
    return this.ours.find((line) => line.wanted && line.request !== undefined && !this.#goesOn(line));
  }

  #goesOn(line: Line): boolean {
    if (this.#exchanges.ours?.line === line) return true;
    return this.#set.all.some((child) => child.line === line && child.fate !== 'deleting');
  }

  /** A CHILD SA of it is gone. */
  lost(line: Line) {
    if (this.#goesOn(line) || !line.wanted) return;
    if (this.#remakes) this.remake(line);
    else line.wanted = false;
  }

  /** It is made anew from scratch, a few times. */
  remake(line: Line) {
    if (line.request === undefined || !line.wanted) return;
    line.remade++;
    if (line.remade <= MOST_REMAKES) return;
    line.wanted = false;
    this.#outbox.push({
      kind: 'log',
      level: 'warn',
      text: 'the peer keeps deleting a CHILD SA: it is not made again',
    });
  }
}
