// Who knocks, and how comparing words with each stands.
import type { Comparing, Knock, WordList } from "./model.ts";
import { wordsAt } from "./words.ts";

type Stands = { at: "none" | "asked" } | { at: "shown" | "same"; places: readonly number[] } | { at: "failed"; usedUp: boolean };

export class Knocks {
  #all = new Map<number, { name: string; taken: boolean; stands: Stands }>();

  all(list: WordList): readonly Knock[] {
    const names = [...this.#all.values()].map(({ name }) => name);
    return [...this.#all].map(([number, { name, taken, stands }]) => {
      const twice = names.indexOf(name) !== names.lastIndexOf(name);
      const compare: Comparing = "places" in stands ? { at: stands.at, words: wordsAt(list, stands.places) } : stands as Comparing;
      return { number, name, taken: taken || twice, compare };
    });
  }

  came(number: number, name: string, taken: boolean): void {
    this.#all.set(number, { name, taken, stands: { at: "none" } });
  }

  gone(number: number): void {
    this.#all.delete(number);
  }

  asked(number: number): void {
    this.#stands(number, () => ({ at: "asked" }));
  }

  words(number: number, places: readonly number[]): void {
    this.#stands(number, () => ({ at: "shown", places }));
  }

  same(number: number): void {
    this.#stands(number, (stands) => ({ at: "same", places: "places" in stands ? stands.places : [] }));
  }

  failed(number: number, usedUp: boolean): void {
    this.#stands(number, () => ({ at: "failed", usedUp }));
  }

  #stands(number: number, next: (before: Stands) => Stands): void {
    const knock = this.#all.get(number);
    if (knock) this.#all.set(number, { ...knock, stands: next(knock.stands) });
  }
}
