// Writing from the right, before the first language that does: `?pseudo=rtl` in the page's address turns the interface round
// and shows its own words mirrored, letter by letter, as a right-to-left script would stand there (Android's "ar-XB" does the
// same). What stays readable is not the interface's own words: an address, a name, the engine's; or a text outside i18n.
// For development and test/e2e; nothing leads there.

/** The direction that is tried out. */
export type Pseudo = 'rtl';

/** English in a script from the right: as react-aria understands a direction. */
export const PSEUDO_LOCALE = 'en-Arab';

export function pseudoOf(search: string): Pseudo | null {
  return new URLSearchParams(search).get('pseudo') === 'rtl' ? 'rtl' : null;
}

// Unicode's bidirectional algorithm (UAX #9): first strong isolate, pop; right-to-left override, pop.
const FSI = '\u2068';
const PDI = '\u2069';
const RLO = '\u202e';
const PDF = '\u202c';

/** An address or a name inside a sentence from the right: its own direction, and none of the sentence's. */
export const isolated = (value: string): string => (value.startsWith(FSI) ? value : `${FSI}${value}${PDI}`);

const PIECES = new RegExp(`(${FSI}[^${PDI}]*${PDI})|(\\p{L}[\\p{L}’]*)`, 'gu');

/** Words turned round; numbers, punctuation and what is isolated are left to the algorithm. */
export const mirrored = (text: string): string =>
  text.replace(PIECES, (piece, isolate: string | undefined) =>
    isolate === undefined ? `${RLO}${piece}${PDF}` : piece,
  );
