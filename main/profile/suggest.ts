// "Did you mean …?": the known key that a mistyped one is closest to.

/** Edits (insert, delete, replace, swap two neighbours) from `a` to `b`: optimal string alignment distance. */
export function editDistance(a: string, b: string): number {
  // Three rows: swapping neighbours looks two rows back.
  let twoBack: number[] = [];
  let back = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(back[j]! + 1, row[j - 1]! + 1, back[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, twoBack[j - 2]! + 1);
      row.push(best);
    }
    twoBack = back;
    back = row;
  }
  return back[b.length]!;
}

/** Letters only, in lower case: "pre_shared-Key" and "presharedKey" are the same to a person. */
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** The candidate that `text` was probably meant to be; undefined where none is near. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const typed = plain(text.slice(0, 64));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const known = plain(candidate);
    // "hostname" for "host", "include" for "includes": a word and a longer form of it.
    const related = Math.min(typed.length, known.length) >= 3 && (typed.startsWith(known) || known.startsWith(typed));
    const distance = related ? 1 : editDistance(typed, known);
    // About one slip in three letters; more would suggest nonsense.
    if (distance > Math.max(1, Math.floor(known.length / 3))) continue;
    if (!best || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}
