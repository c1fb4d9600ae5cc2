// The lists of words, which come with the page and are asked for when they are needed.
import type { WordList } from "./model.ts";

/** Put in by the build: each list's file has the name of the list. */
declare const WORD_HASHES: Record<WordList, string>;

const lists = new Map<WordList, Promise<readonly string[]>>();
const loaded = new Map<WordList, readonly string[]>();

export const wordFile = (list: WordList): string => `words-${list}.txt`;

export function load(list: WordList): Promise<readonly string[]> {
  const known = lists.get(list);
  if (known) return known;
  const loading = fetch(new URL(wordFile(list), document.baseURI), { integrity: WORD_HASHES[list] })
    .then((response) => response.text())
    .then((text) => {
      const words = text.trimEnd().split("\n");
      loaded.set(list, words);
      return words;
    });
  lists.set(list, loading);
  loading.catch(() => lists.delete(list));
  return loading;
}

/** Words by their places; the places themselves as long as the list is not there, which compare as well. */
export function wordsAt(list: WordList, places: readonly number[]): readonly string[] {
  const words = loaded.get(list);
  return places.map((place) => words?.[place] ?? String(place).padStart(4, "0"));
}

const LISTS: readonly WordList[] = ["en", "it", "zh-Hans", "zh-Hant"];

/** The list of the page's language, where it has one. */
export const listOfPage = (): WordList => LISTS.find((list) => list === document.documentElement.lang) ?? "en";
