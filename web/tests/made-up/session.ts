// A made-up session: it plays a scene and does at once what it is asked, so that screens can be tested
// without a meeting. No part of the shipped page: MADE-UP-SESSION is looked for there.
import type { Local, Person, PersonId, Picture, Session, Source, State, Stop, WordList } from "../../src/meeting/model.ts";
import { person } from "./people.ts";
import { play } from "./pictures.ts";

export const MARK = "MADE-UP-SESSION";

const WORDS: Record<WordList, readonly string[]> = {
  en: ["harbour", "velvet", "orchard", "lantern", "quiet"],
  it: ["abbaglio", "farfalla", "notturno", "rugiada", "vetrina"],
  "zh-Hans": ["的", "山", "灯", "静", "河"],
  "zh-Hant": ["的", "山", "燈", "靜", "河"],
};

export class MadeUp implements Session {
  #state: State;
  #local: Local;
  #listeners = new Set<() => void>();
  readonly done: string[] = [MARK];

  constructor(state: State, local: Local) {
    this.#state = state;
    this.#local = local;
    local.subscribe(() => {
      const { microphone, camera, playing } = local.state();
      this.#person(this.#self()?.id, { muted: !microphone, camera, playing: playing !== null });
    });
  }

  state = (): State => this.#state;

  subscribe(changed: () => void): Stop {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  change(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  watch(id: PersonId, source: Source, large: boolean, show: (picture: Picture) => void): Stop {
    return play(id, source, large, show);
  }

  words = async (list: WordList) => WORDS[list];

  join(name: string, speak: boolean): void {
    this.done.push(`join ${speak}`);
    if (!speak) return this.change({ phase: { at: "in" }, viewer: true, people: [person(1), person(2)] });
    const { microphone, camera } = this.#local.state();
    const self = person(0, { name, self: true, muted: !microphone, camera });
    if (this.#state.kind === "host") {
      return this.change({ phase: { at: "in" }, inTheChair: true, people: [{ ...self, rank: 0 }] });
    }
    this.change({ phase: { at: "knocking", waiting: "waiting", compare: null }, people: [self] });
  }

  leave(): void {
    this.done.push("leave");
    if (this.#state.phase.at !== "ended") this.change({ phase: { at: "ended", problem: "left" } });
  }

  raiseHand(up: boolean): void {
    this.#person(this.#self()?.id, { hand: up });
  }

  say(text: string): void {
    const self = this.#self();
    const id = (this.#state.chat.at(-1)?.id ?? 0) + 1;
    const line = { id, from: self?.id ?? null, name: self?.name ?? "", text, at: Date.now(), mine: true };
    this.change({ chat: [...this.#state.chat, line] });
  }

  wordList(list: WordList): void {
    const { phase } = this.#state;
    if (phase.at === "knocking") this.change({ phase: { ...phase, compare: WORDS[list].slice(0, 2) } });
  }

  admit(knock: number): void {
    const found = this.#state.knocks.find(({ number }) => number === knock);
    if (found) this.change({ people: [...this.#state.people, person(this.#state.people.length, { name: found.name })] });
    this.deny(knock);
  }

  admitAll(on: boolean): void {
    this.change({ admittingAll: on, knocks: on ? [] : this.#state.knocks });
  }

  deny(knock: number): void {
    this.change({ knocks: this.#state.knocks.filter(({ number }) => number !== knock) });
  }

  denyAll(): void {
    this.change({ knocks: [] });
  }

  compare(knock: number): void {
    this.#compare(knock, { at: "shown", words: ["harbour", "lantern"] });
  }

  same(knock: number): void {
    this.#compare(knock, { at: "same", words: ["harbour", "lantern"] });
  }

  different(knock: number): void {
    this.deny(knock);
  }

  lock(on: boolean): void {
    this.change({ locked: on });
  }

  remove(id: PersonId): void {
    this.change({ people: this.#state.people.filter((one) => one.id !== id) });
  }

  askQuiet(): void {
    this.done.push("ask-quiet");
  }

  endForAll(): void {
    this.change({ phase: { at: "ended", problem: "ended" } });
  }

  #self(): Person | undefined {
    return this.#state.people.find(({ self }) => self);
  }

  #person(id: PersonId | undefined, change: Partial<Person>): void {
    this.change({ people: this.#state.people.map((one) => (one.id === id ? { ...one, ...change } : one)) });
  }

  #compare(knock: number, compare: State["knocks"][number]["compare"]): void {
    this.change({ knocks: this.#state.knocks.map((one) => (one.number === knock ? { ...one, compare } : one)) });
  }
}
