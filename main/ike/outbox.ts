// Effects collected while one event is handled, in order.

import type { IkeEffect } from './peer.ts';
import type { IkeQuestion } from './questions.ts';

export class Outbox {
  #effects: IkeEffect[] = [];
  #questions = 0;

  push(effect: IkeEffect): void {
    this.#effects.push(effect);
  }

  debug(text: string): void {
    this.push({ kind: 'log', level: 'debug', text });
  }

  /** Asks; the answer comes with the number returned, which no other question of this SA has. */
  ask(question: IkeQuestion): number {
    const id = ++this.#questions;
    this.push({ kind: 'ask', id, question });
    return id;
  }

  /** Everything since the last call. */
  take(): IkeEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
