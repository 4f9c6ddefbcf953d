// Effects collected while one event is handled, in order.
import type { IkeEffect } from './types.ts';

export class Outbox {
  #effects: IkeEffect[] = [];

  push(effect: IkeEffect): void {
    this.#effects.push(effect);
  }

  debug(text: string): void {
    this.push({ kind: 'log', level: 'debug', text });
  }

  /** Everything since the last call. */
  take(): IkeEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
