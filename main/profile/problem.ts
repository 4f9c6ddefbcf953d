// What is wrong with a profile, for the person who wrote it: every problem at once, each with the place (JSON pointer,
// RFC 6901), what is there, what was expected and an example. Never a secret's value.

export type ProfileProblemCode =
  /** Not JSON at all. */
  | 'syntax'
  /** Made for another version of the format. */
  | 'version'
  | 'unknown-key'
  | 'missing'
  | 'invalid'
  /** Each part is right by itself, but they do not go together. */
  | 'conflict'
  | 'secret';

/** Codes of ProfileError: of its first problem, or of the store. */
export type ProfileErrorCode = ProfileProblemCode | 'exists' | 'not-found' | 'name' | 'store';

export interface ProfileProblem {
  readonly code: ProfileProblemCode;
  /** JSON pointer to the value at fault; "" is the whole file. */
  readonly pointer: string;
  /** What is wrong: a sentence without the place. */
  readonly message: string;
  /** What belongs there. */
  readonly expected?: string;
  /** A value as it would stand in the file. */
  readonly example?: string;
  /** JSON pointer of what was probably meant. */
  readonly suggestion?: string;
}

export function formatProblem(problem: ProfileProblem): string {
  const place = problem.pointer === '' ? 'the file' : problem.pointer;
  const meant = problem.suggestion ? ` Did you mean ${problem.suggestion}?` : '';
  const expected = problem.expected ? ` Expected ${problem.expected}.` : '';
  const example = problem.example ? ` Example: ${problem.example}` : '';
  return `${place}: ${problem.message}${meant}${expected}${example}`;
}

export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly code: ProfileErrorCode;
  readonly problems: readonly ProfileProblem[];
  readonly remedy: string;

  constructor(fields: {
    readonly code: ProfileErrorCode;
    readonly message: string;
    readonly remedy: string;
    readonly problems?: readonly ProfileProblem[];
  }) {
    super(fields.message);
    this.code = fields.code;
    this.remedy = fields.remedy;
    this.problems = fields.problems ?? [];
  }
}

/** Mistakes that are told at once; a file of another kind has thousands. */
export const MOST_TOLD = 50;

/** One error for every problem of a file. */
export function problemsError(problems: readonly ProfileProblem[]): ProfileError {
  const first = problems[0];
  if (!first) throw new RangeError('an error needs a problem');
  const more = problems.length - MOST_TOLD;
  const head = problems.length === 1 ? 'The profile has a mistake:' : `The profile has ${problems.length} mistakes:`;
  return new ProfileError({
    code: first.code,
    message: [
      head,
      ...problems.slice(0, MOST_TOLD).map((problem) => `  ${formatProblem(problem)}`),
      ...(more > 0 ? [`  … and ${more} more.`] : []),
    ].join('\n'),
    remedy:
      first.code === 'version'
        ? 'Ask the administrator who made the profile for one that this version of Culvert reads.'
        : 'Correct the file (docs/profile.md describes every key), or ask the administrator who made it, then import it again.',
    problems,
  });
}

/** A JSON pointer (RFC 6901 §3) for a path of keys and indexes. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
