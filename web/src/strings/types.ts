// What a language has to have, taken from the English one: a string that is missing does not compile.
import type { en } from "./en.ts";

export type Key = keyof typeof en;

/** One form for each plural category that the language has; `other` is always there. */
export type Plural = { readonly other: string } & { readonly [Rule in Intl.LDMLPluralRule]?: string };

export type Strings = { readonly [K in Key]: (typeof en)[K] extends string ? string : Plural };

/** A language under way: `null` is shown in English until somebody translates it. */
export type Prepared = { readonly [K in Key]: Strings[K] | null };

/** The names in braces of a string. */
type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

type NamesOf<K extends Key> = (typeof en)[K] extends string ? Names<(typeof en)[K]> : "count";

/** Those to which nothing has to be given. */
export type PlainKey = { [K in Key]: [NamesOf<K>] extends [never] ? K : never }[Key];

/** What has to be given for a key: nothing, or a value for each name. */
export type Values<K extends Key> = [NamesOf<K>] extends [never]
  ? []
  : [values: { readonly [Name in NamesOf<K>]: string | number }];

export type Say = <K extends Key>(key: K, ...values: Values<K>) => string;
