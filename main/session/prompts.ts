// Questions to the person: one at a time, shown as part of the session's state, answered through the contract (answerPrompt),
// ended by an answer, by cancelling, by time, or because what asked is gone. An answer goes to whoever asked and nowhere else.

import type { RandomBytes } from '../crypto/random.ts';
import { EapError, withdrawnPrompt } from '../eap/error.ts';
import type { Prompt } from '../ipc/contract.ts';
import type { Clock, Timer } from './clock.ts';

/** Milliseconds that a person has. A gateway gives up sooner or later too: strongSwan after half a minute or so. */
export const PROMPT_TIME = 120_000;

export interface Prompts {
  /** What is asked now; null: nothing. */
  readonly open: Prompt | null;
  /** Milliseconds that persons have taken so far, over all questions. */
  readonly taken: number;
  /** null: the person does not want to. Rejects with an EapError when nobody answers in time, or once `gone`: what asked is gone. */
  ask(question: Omit<Prompt, 'id'>, gone?: AbortSignal): Promise<string | null>;
  /** False: this question is not open (any more). */
  answer(id: string, answer: string | null): boolean;
  /** Ends every question, because what asked is gone: each rejects with an EapError that is no answer of the person's. */
  withdraw(): void;
}

export interface PromptsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** `open` has changed. */
  readonly changed: () => void;
}

interface Asked {
  readonly prompt: Prompt;
  readonly settle: (answer: string | null) => void;
  readonly fail: (error: EapError) => void;
}

export function createPrompts({ clock, random, changed }: PromptsDeps): Prompts {
  const queue: Asked[] = [];
  let timer: Timer | null = null;
  let taken = 0;
  let since: number | null = null;

  const show = (): void => {
    timer?.cancel();
    const first = queue[0];
    if (since !== null) taken += clock.now() - since;
    since = first ? clock.now() : null;
    timer = first ? clock.setTimer(clock.now() + PROMPT_TIME, () => expire(first)) : null;
    changed();
  };
  const expire = (asked: Asked): void => {
    take(asked);
    asked.fail(timedOut(asked.prompt.kind));
  };
  const take = (asked: Asked): void => {
    const at = queue.indexOf(asked);
    queue.splice(at, 1);
    if (at === 0) show();
  };
  const withdrawOne = (asked: Asked): void => {
    if (!queue.includes(asked)) return;
    take(asked);
    asked.fail(withdrawnPrompt(asked.prompt.kind));
  };

  return {
    get open() {
      return queue[0]?.prompt ?? null;
    },
    get taken() {
      return taken + (since === null ? 0 : clock.now() - since);
    },
    ask(question, gone) {
      return new Promise((settle, fail) => {
        if (gone?.aborted) {
          fail(withdrawnPrompt(question.kind));
          return;
        }
        const id = Buffer.from(random(8)).toString('hex');
        const asked: Asked = { prompt: { id, ...question }, settle, fail };
        gone?.addEventListener('abort', () => withdrawOne(asked), { once: true });
        queue.push(asked);
        if (queue.length === 1) show();
      });
    },
    answer(id, answer) {
      const asked = queue[0];
      if (!asked || asked.prompt.id !== id) return false;
      take(asked);
      asked.settle(answer);
      return true;
    },
    withdraw() {
      const all = queue.splice(0);
      if (all.length > 0) show();
      for (const { prompt, fail } of all) fail(withdrawnPrompt(prompt.kind));
    },
  };
}

const timedOut = (kind: Prompt['kind']): EapError =>
  new EapError({
    reason: 'prompt-timed-out',
    message: `nobody typed the ${kind === 'password' ? 'password' : 'one-time code'} within ${PROMPT_TIME / 60_000} minutes`,
    remedy: 'connect again when you have it at hand',
  });
