// Searching the path MTU with packets of known size (RFC 8899 §5): is the base carried, is the most carried, and then halving
// what lies between until one byte decides. A size counts as too large only after several packets of it were lost (MAX_PROBES,
// §5.1.2), because one may be lost for any other reason. Pure: asks for probes, and is told what became of them.

/** §5.1.2. */
export const MAX_PROBES = 3;

export interface SearchOptions {
  /** Every network carries this (RFC 791 §3.1: 576 in practice; RFC 8200 §5: 1280 for IPv6). */
  readonly least: number;
  /** Not searched beyond. */
  readonly most: number;
}

export interface PathSearch {
  /** The size to probe next; null: done. */
  readonly next: number | null;
  /** Largest size that is known to arrive, smallest that is known not to. */
  readonly works: number | null;
  readonly fails: number | null;
  /** 0 to 1. */
  readonly progress: number;
  /** What became of a probe of the size `next`. `refused`: this computer's own link does not carry it; final at once. */
  tell(outcome: 'arrived' | 'lost' | 'refused'): void;
}

export function createPathSearch({ least, most }: SearchOptions): PathSearch {
  let works: number | null = null;
  let fails: number | null = null;
  let losses = 0;
  let next: number | null = least;
  const steps = 2 + Math.ceil(Math.log2(Math.max(2, most - least)));
  let step = 0;

  function choose(): number | null {
    if (works === null) return null;
    if (fails === null) return works >= most ? null : most;
    return fails - works <= 1 ? null : Math.floor((works + fails) / 2);
  }

  return {
    get next() {
      return next;
    },
    get works() {
      return works;
    },
    get fails() {
      return fails;
    },
    get progress() {
      return next === null ? 1 : Math.min(0.99, (step + losses / MAX_PROBES) / steps);
    },
    tell(outcome) {
      if (next === null) return;
      if (outcome === 'lost' && ++losses < MAX_PROBES) return;
      if (outcome === 'arrived') works = next;
      else fails = next;
      losses = 0;
      step++;
      next = choose();
    },
  };
}
