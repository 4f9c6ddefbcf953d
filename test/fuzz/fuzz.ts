// A small coverage-guided fuzzer: inputs that reach code which no input reached before are kept, and mutated further.
//
// Inputs run in batches, since asking V8 for its coverage costs milliseconds; a batch with something new is halved
// until it is known which it was.
import { seededNumbers } from '../sim/random.ts';
import { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';

export interface FuzzOptions {
  readonly corpus: readonly Uint8Array[];
  /** Parts of the addresses of the scripts whose coverage counts. */
  readonly scripts: readonly string[];
  readonly seed: number;
  /** So many, the corpus not counted, rounded up to whole batches. */
  readonly inputs: number;
  /** Throws where the code under test does what it must not. */
  readonly run: (input: Uint8Array, random: () => number) => void;
}

export interface FuzzOutcome {
  readonly inputs: number;
  readonly blocks: number;
  /** The corpus, and what was found on top of it. */
  readonly found: readonly Uint8Array[];
  readonly crash: { readonly input: string; readonly error: unknown } | undefined;
}

const BATCH = 200;

export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const random = seededNumbers(options.seed);
  const coverage = new Coverage(options.scripts);
  const found = [...options.corpus];
  let inputs = 0;
  let crash: FuzzOutcome['crash'];
  const attempt = (input: Uint8Array): boolean => {
    inputs++;
    try {
      options.run(Uint8Array.from(input), random);
    } catch (error) {
      crash = { input: Buffer.from(input).toString('hex'), error };
      return false;
    }
    return true;
  };
  await coverage.start();
  try {
    for (const input of options.corpus) if (!attempt(input)) break;
    await coverage.fresh();
    for (let ran = 0; !crash && ran < options.inputs; ran += BATCH) {
      const batch: Uint8Array[] = [];
      for (let i = 0; i < BATCH && !crash; i++) {
        const pick = (): Uint8Array => found[Math.floor(random() * found.length)]!;
        const input = mutated(pick(), pick(), random);
        batch.push(input);
        attempt(input);
      }
      const fresh = await coverage.fresh();
      if (crash || fresh.size === 0) continue;
      found.push(...(await authors(batch, fresh, coverage, options.run)));
    }
    return { inputs, blocks: coverage.blocks, found, crash };
  } finally {
    coverage.stop();
  }
}

/** One input of the batch for as much of `wanted` as one input reaches, found by halving; the rest of it, by as many as it takes. */
async function authors(
  batch: readonly Uint8Array[],
  wanted: ReadonlySet<string>,
  coverage: Coverage,
  run: FuzzOptions['run'],
): Promise<readonly Uint8Array[]> {
  const reachedBy = async (inputs: readonly Uint8Array[]): Promise<ReadonlySet<string>> => {
    const random = seededNumbers(1);
    for (const input of inputs) run(Uint8Array.from(input), random);
    const reached = await coverage.reached();
    return new Set([...wanted].filter((block) => reached.has(block)));
  };
  const kept: Uint8Array[] = [];
  const left = new Set(wanted);
  while (left.size > 0 && kept.length < 4) {
    let candidates = batch;
    while (candidates.length > 1) {
      const half = candidates.slice(0, candidates.length >> 1);
      const reached = await reachedBy(half);
      candidates = [...reached].some((block) => left.has(block)) ? half : candidates.slice(half.length);
    }
    const [author] = candidates;
    const reached = author ? await reachedBy([author]) : new Set<string>();
    // What depends on chance (the keys drawn for an input) need not come again.
    const mine = [...reached].filter((block) => left.has(block));
    if (!author || mine.length === 0) break;
    kept.push(author);
    for (const block of mine) left.delete(block);
  }
  return kept;
}
