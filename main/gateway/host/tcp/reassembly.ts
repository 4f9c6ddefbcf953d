// Segments that came ahead of their turn (RFC 9293 §3.10.7.4), sorted and never overlapping, until the gap is filled.
import { advance, ahead } from './sequence.ts';

interface Piece {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export class Reassembly {
  readonly #pieces: Piece[] = [];

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Bytes that are kept: each once, so never more than the receive window. */
  get length(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
  }

  /** Keeps a copy of those bytes that are not here yet. The caller has cut them to the receive window. */
  insert(sequence: number, bytes: Uint8Array): void {
    let start = sequence;
    let rest = bytes;
    let i = 0;
    while (rest.length > 0) {
      const piece = this.#pieces[i];
      const before = piece ? Math.min(rest.length, ahead(piece.sequence, start)) : rest.length;
      if (before > 0) {
        this.#pieces.splice(i, 0, { sequence: start, bytes: rest.slice(0, before) });
        start = advance(start, before);
        rest = rest.subarray(before);
        i++;
        continue;
      }
      // `start` is in the piece or behind it: what the piece has already is not kept twice.
      const covered = Math.max(0, piece!.bytes.length + before);
      const skip = Math.min(rest.length, covered);
      start = advance(start, skip);
      rest = rest.subarray(skip);
      i++;
    }
  }

  /** Takes the piece that continues at `next`, without what is older; undefined where there is a gap. */
  take(next: number): Uint8Array | undefined {
    while (this.#pieces.length > 0) {
      const piece = this.#pieces[0]!;
      const old = ahead(next, piece.sequence);
      if (old < 0) return undefined;
      this.#pieces.shift();
      if (old < piece.bytes.length) return piece.bytes.subarray(old);
    }
    return undefined;
  }
}
