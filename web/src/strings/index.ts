// The languages, and how a string is said in one of them.
import { bo } from "./bo.ts";
import { en } from "./en.ts";
import { it } from "./it.ts";
import type { Key, Plural, Prepared, Say, Strings } from "./types.ts";
import { ug } from "./ug.ts";
import { zhHans } from "./zh-hans.ts";
import { zhHant } from "./zh-hant.ts";

export type { PlainKey, Say } from "./types.ts";

const strings = {
  en,
  it,
  "zh-Hans": zhHans,
  "zh-Hant": zhHant,
  ug,
  bo,
} satisfies Record<string, Strings | Prepared>;

export type Tag = keyof typeof strings;

/** In their own names, as people look for them. */
export const LANGUAGES: readonly { readonly tag: Tag; readonly name: string; readonly rtl?: true }[] = [
  { tag: "en", name: "English" },
  { tag: "it", name: "Italiano" },
  { tag: "zh-Hans", name: "简体中文" },
  { tag: "zh-Hant", name: "繁體中文" },
  { tag: "ug", name: "ئۇيغۇرچە", rtl: true },
  { tag: "bo", name: "བོད་ཡིག" },
];

/** The first language of the browser that there is here. */
export function preferred(wanted: readonly string[]): Tag {
  for (const want of wanted) {
    let locale;
    try {
      locale = new Intl.Locale(want).maximize();
    } catch {
      continue;
    }
    if (locale.language === "zh") return locale.script === "Hant" ? "zh-Hant" : "zh-Hans";
    // Uyghur in other scripts is another orthography, which these strings are not written in.
    if (locale.language === "ug" && locale.script !== "Arab") continue;
    const found = LANGUAGES.find(({ tag }) => tag === locale.language);
    if (found) return found.tag;
  }
  return "en";
}

export function isRtl(tag: Tag): boolean {
  return LANGUAGES.some((language) => language.tag === tag && language.rtl);
}

// First strong isolate and its end: a name, or English in a language that is written the other way, keeps
// its own direction and turns nothing around it.
const ISOLATE = "\u2068";
const ISOLATE_END = "\u2069";
const LEFT_TO_RIGHT = "\u2066";

export function sayIn(tag: Tag): Say {
  const table: Strings | Prepared = strings[tag];
  const numbers = new Intl.NumberFormat(tag);
  const pluralRules = new Map<Tag, Intl.PluralRules>();
  const rule = (of: Tag, count: number) => {
    const rules = pluralRules.get(of) ?? new Intl.PluralRules(of);
    pluralRules.set(of, rules);
    return rules.select(count);
  };
  const say = (key: Key, values?: Record<string, string | number>): string => {
    const own: string | Plural | null = table[key];
    const entry: string | Plural = own ?? en[key];
    const of = own === null ? "en" : tag;
    const text = typeof entry === "string" ? entry : (entry[rule(of, Number(values?.["count"]))] ?? entry.other);
    const filled = text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values?.[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? numbers.format(value) : `${ISOLATE}${value}${ISOLATE_END}`;
    });
    return own === null && isRtl(tag) ? `${LEFT_TO_RIGHT}${filled}${ISOLATE_END}` : filled;
  };
  return say as Say;
}
