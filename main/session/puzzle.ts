// Solves a gateway's puzzle (RFC 8019) beside everything else that the control thread does: some milliseconds of work, then everybody
// else's turn. The data plane has threads of its own and does not notice.
import { type Puzzle, PuzzleSolver } from '../ike/puzzle.ts';

/** Tries at a time: about a millisecond. */
const SLICE = 500;

/** Resolves with the four keys; rejects once `wanted` says no, or where there is no solution. */
export async function solvePuzzle(puzzle: Puzzle, wanted: () => boolean): Promise<Uint8Array> {
  const solver = new PuzzleSolver(puzzle);
  for (;;) {
    if (!wanted()) throw new Error('nobody waits for the solution any more');
    const solution = solver.step(SLICE);
    if (solution) return solution;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
