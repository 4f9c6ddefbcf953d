// What a message is, and what a translation of it must have: the same keys, the same placeholders, plural where English
// has one. Placeholders are written {name}; a plural picks its form by the number `count`.

export type Plural = { readonly other: string } & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
export type Message = string | Plural;
export type Messages = Readonly<Record<string, Message>>;

/** The shape of a translation of `T`. */
export type Translated<T extends Messages> = { readonly [K in keyof T]: T[K] extends string ? string : Plural };

type PlaceholdersIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PlaceholdersIn<Rest>
  : never;

/** The placeholders of a message, from its English text. */
export type Placeholders<M extends Message> = M extends string
  ? PlaceholdersIn<M>
  : M extends { readonly other: infer Other extends string }
    ? PlaceholdersIn<Other> | 'count'
    : never;

/** What fills a message: nothing where it has no placeholder. Numbers are formatted for the language. */
export type Fill<M extends Message, V = string | number> = [Placeholders<M>] extends [never]
  ? []
  : [values: { readonly [P in Placeholders<M>]: P extends 'count' ? number : V }];

/** The form of a message for `count`. */
export function formOf(message: Message, count: unknown, plurals: Intl.PluralRules): string {
  if (typeof message === 'string') return message;
  return (typeof count === 'number' ? message[plurals.select(count)] : undefined) ?? message.other;
}

/** A placeholder that nothing fills stays as it is: visible, so that it is noticed. */
export function fillIn(text: string, valueFor: (name: string) => string | undefined): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => valueFor(name) ?? whole);
}
