// Shapes of plain data, as values: a runtime check and a TypeScript type from one declaration. Enough for the contract and
// no more. Imports nothing, so that every end of the contract (engine, desktop shell, browser) can check what it hears.
//
//   const Point = object({ x: integer(0, 9), note: optional(text(80)) });
//   type Point = Of<typeof Point>;              // { readonly x: number; readonly note?: string }
//   checkStrict(Point, value)                   // null, or where and what is wrong

/** Where in the value (a JSON pointer, "" is the whole) and what is wrong there. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}

export interface Shape<T> {
  /** The first problem, or null. `strict`: a key that the shape does not name is a problem. */
  readonly find: (value: unknown, pointer: string, strict: boolean) => Problem | null;
  /** Only for the compiler: never set. */
  readonly typed?: T;
}

/** A field that may be absent. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

export type Of<S> = S extends Shape<infer T> ? T : never;

type Field = Shape<unknown> | Optional<unknown>;
type Fields = Readonly<Record<string, Field>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];
type RequiredKeys<F extends Fields> = Exclude<keyof F, OptionalKeys<F>>;
type Flat<T> = { [K in keyof T]: T[K] };
type ObjectOf<F extends Fields> = Flat<
  { readonly [K in RequiredKeys<F>]: F[K] extends Shape<infer T> ? T : never } & {
    readonly [K in OptionalKeys<F>]?: F[K] extends Optional<infer T> ? T : never;
  }
>;

const wrong = (pointer: string, message: string): Problem => ({ pointer, message });
const shape = <T>(find: Shape<T>['find']): Shape<T> => ({ find });
const step = (pointer: string, key: string | number): string =>
  `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Refuses what the shape does not name: what a client sends. */
export const checkStrict = <T>(what: Shape<T>, value: unknown): Problem | null => what.find(value, '', true);
/** Lets unknown keys be: what an engine, perhaps newer than we, answers. */
export const check = <T>(what: Shape<T>, value: unknown): Problem | null => what.find(value, '', false);
/** The same as a type guard. */
export const matches = <T>(what: Shape<T>, value: unknown): value is T => check(what, value) === null;

/** At most `most` UTF-16 units; at least `least`. */
export const text = (most = 1_000_000, least = 0): Shape<string> =>
  shape((value, pointer) => {
    if (typeof value !== 'string') return wrong(pointer, 'must be a text');
    if (value.length > most) return wrong(pointer, `must have at most ${most} characters`);
    return value.length < least ? wrong(pointer, `must have at least ${least} characters`) : null;
  });

export const boolean: Shape<boolean> = shape((value, pointer) =>
  typeof value === 'boolean' ? null : wrong(pointer, 'must be true or false'),
);

export const number: Shape<number> = shape((value, pointer) =>
  typeof value === 'number' && Number.isFinite(value) ? null : wrong(pointer, 'must be a number'),
);

export const integer = (least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER): Shape<number> =>
  shape((value, pointer) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return wrong(pointer, 'must be a whole number');
    return value < least || value > most ? wrong(pointer, `must be from ${least} to ${most}`) : null;
  });

export const oneOf = <const T extends readonly string[]>(...values: T): Shape<T[number]> =>
  shape((value, pointer) =>
    typeof value === 'string' && values.includes(value) ? null : wrong(pointer, `must be one of: ${values.join(', ')}`),
  );

export const scalar: Shape<string | number | boolean | null> = shape((value, pointer) =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
    ? null
    : wrong(pointer, 'must be a text, a number, true, false or null'),
);

/** The first that fits; where none does, what is wrong by the last. */
export const either = <T, U>(first: Shape<T>, second: Shape<U>): Shape<T | U> =>
  shape((value, pointer, strict) =>
    first.find(value, pointer, strict) === null ? null : second.find(value, pointer, strict),
  );

export const nullable = <T>(inner: Shape<T>): Shape<T | null> =>
  shape((value, pointer, strict) => (value === null ? null : inner.find(value, pointer, strict)));

export const optional = <T>(inner: Shape<T>): Optional<T> => ({ optional: inner });

export const list = <T>(inner: Shape<T>, most = 100_000): Shape<readonly T[]> =>
  shape((value, pointer, strict) => {
    if (!Array.isArray(value)) return wrong(pointer, 'must be a list');
    if (value.length > most) return wrong(pointer, `must have at most ${most} entries`);
    for (const [i, entry] of value.entries()) {
      const problem = inner.find(entry, step(pointer, i), strict);
      if (problem) return problem;
    }
    return null;
  });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const record = <T>(inner: Shape<T>): Shape<Readonly<Record<string, T>>> =>
  shape((value, pointer, strict) => {
    if (!isObject(value)) return wrong(pointer, 'must be an object');
    for (const [key, entry] of Object.entries(value)) {
      const problem = inner.find(entry, step(pointer, key), strict);
      if (problem) return problem;
    }
    return null;
  });

/** `also`: a key that belongs to somebody else (the tag of variants). */
function findInFields(fields: Fields, value: unknown, pointer: string, strict: boolean, also?: string): Problem | null {
  if (!isObject(value)) return wrong(pointer, 'must be an object');
  for (const [key, field] of Object.entries(fields)) {
    const entry = Object.hasOwn(value, key) ? value[key] : undefined;
    if ('optional' in field) {
      const problem = entry === undefined ? null : field.optional.find(entry, step(pointer, key), strict);
      if (problem) return problem;
      continue;
    }
    if (entry === undefined) return wrong(step(pointer, key), 'is missing');
    const problem = field.find(entry, step(pointer, key), strict);
    if (problem) return problem;
  }
  if (!strict) return null;
  const unknown = Object.keys(value).find((key) => key !== also && !Object.hasOwn(fields, key));
  return unknown === undefined ? null : wrong(step(pointer, unknown), 'is not known here');
}

export const object = <F extends Fields>(fields: F): Shape<ObjectOf<F>> =>
  shape((value, pointer, strict) => findInFields(fields, value, pointer, strict));

/** A discriminated union: `tag` names the case, whose further fields follow. */
export const variants = <Tag extends string, V extends Readonly<Record<string, Fields>>>(
  tag: Tag,
  cases: V,
): Shape<{ [K in keyof V & string]: Flat<{ readonly [T in Tag]: K } & ObjectOf<V[K]>> }[keyof V & string]> =>
  shape((value, pointer, strict) => {
    if (!isObject(value)) return wrong(pointer, 'must be an object');
    const name = value[tag];
    const fields = typeof name === 'string' && Object.hasOwn(cases, name) ? cases[name] : undefined;
    if (!fields) return wrong(step(pointer, tag), `must be one of: ${Object.keys(cases).join(', ')}`);
    return findInFields(fields, value, pointer, strict, tag);
  });
