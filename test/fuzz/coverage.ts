// Which code the last inputs reached, from V8's own block coverage (the inspector protocol's Profiler domain), for scripts whose
// address has `part` in it.
import { Session } from 'node:inspector/promises';

interface Taken {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

export class Coverage {
  readonly #session = new Session();
  readonly #parts: readonly string[];
  readonly #seen = new Set<string>();

  constructor(parts: readonly string[]) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    await this.fresh();
  }

  /** What was reached since the last call. */
  async reached(): Promise<ReadonlySet<string>> {
    const { result } = (await this.#session.post('Profiler.takePreciseCoverage')) as Taken;
    const reached = new Set<string>();
    for (const { url, functions } of result) {
      if (!this.#parts.some((part) => url.includes(part))) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0) reached.add(`${url}:${startOffset}-${endOffset}`);
    }
    return reached;
  }

  /** What was reached since the last call and never before. */
  async fresh(): Promise<ReadonlySet<string>> {
    const fresh = new Set<string>();
    for (const block of await this.reached())
      if (!this.#seen.has(block)) {
        this.#seen.add(block);
        fresh.add(block);
      }
    return fresh;
  }

  get blocks(): number {
    return this.#seen.size;
  }

  stop(): void {
    this.#session.disconnect();
  }
}
