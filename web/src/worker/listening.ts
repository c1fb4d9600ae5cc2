// Which tracks are asked for: every voice, and of the pictures those that are shown, in the size in which they
// are. Where another size is wanted, the old one goes on until the first picture of the new one is there.
import type { Heard } from "../meeting/media.ts";
import type { Source } from "../meeting/model.ts";
import type { Size } from "./messages.ts";

/** Sounds at a time: 50 datagrams a second each, muted or not. More of them than one device can decode beside
 * pictures help nobody; whoever says to be muted gives way. */
const VOICES = 48;

interface Wish {
  readonly who: number;
  readonly source: Source;
  size: Size;
  /** The track that is seen, and the one that is to take its place. */
  shown: number | null;
  next: number | null;
}

export interface ListeningEvents {
  listen(who: number, track: number, on: boolean): void;
  /** Pictures of it are (not) to be decoded. */
  show(who: number, track: number, on: boolean): void;
}

const key = (who: number, what: number | Source) => `${who} ${what}`;
const isPicture = ({ codec }: Heard) => codec !== "opus";

export class Listening {
  #events: ListeningEvents;
  #people = new Map<number, { tracks: readonly Heard[]; muted: boolean }>();
  #voices = new Map<string, { who: number; track: number }>();
  #wishes = new Map<string, Wish>();
  #undecodable = new Set<string>();

  constructor(events: ListeningEvents) {
    this.#events = events;
  }

  person(who: number, tracks: readonly Heard[]): void {
    const before = this.#people.get(who);
    this.#people.set(who, { tracks, muted: before?.muted ?? false });
    // What ended, or is another thing now, may be decoded.
    for (const old of before?.tracks ?? []) {
      if (!tracks.some(({ track, codec }) => track === old.track && codec === old.codec)) this.#undecodable.delete(key(who, old.track));
    }
    this.#hear();
    for (const wish of this.#of(who)) this.#choose(wish);
  }

  muted(who: number, muted: boolean): void {
    const person = this.#people.get(who);
    if (!person) return;
    this.#people.set(who, { ...person, muted });
    this.#hear();
  }

  /** The core has forgotten what was asked for. */
  gone(who: number): void {
    for (const { track } of this.#people.get(who)?.tracks ?? []) this.#undecodable.delete(key(who, track));
    this.#people.delete(who);
    for (const [name, voice] of this.#voices) if (voice.who === who) this.#voices.delete(name);
    for (const wish of this.#of(who)) {
      this.#picture(wish.who, wish.shown, false);
      this.#picture(wish.who, wish.next, false);
      wish.shown = wish.next = null;
    }
    this.#hear();
  }

  watch(who: number, source: Source, size: Size | null): void {
    const name = key(who, source);
    const wish = this.#wishes.get(name) ?? { who, source, size: "small", shown: null, next: null };
    if (size === null) {
      this.#picture(who, wish.shown, false);
      this.#picture(who, wish.next, false);
      this.#wishes.delete(name);
      return;
    }
    wish.size = size;
    this.#wishes.set(name, wish);
    this.#choose(wish);
  }

  /** A picture came: where it is to be seen, if anywhere. */
  came(who: number, track: number): Source | null {
    for (const wish of this.#of(who)) {
      if (wish.next === track) {
        this.#picture(who, wish.shown, false);
        [wish.shown, wish.next] = [track, null];
      }
      if (wish.shown === track) return wish.source;
    }
    return null;
  }

  undecodable(who: number, track: number): void {
    this.#undecodable.add(key(who, track));
    for (const wish of this.#of(who)) this.#choose(wish);
  }

  #of(who: number): Wish[] {
    return [...this.#wishes.values()].filter((wish) => wish.who === who);
  }

  #choose(wish: Wish): void {
    const { who, source } = wish;
    const tracks = (this.#people.get(who)?.tracks ?? [])
      .filter((track) => isPicture(track) && track.screen === (source === "screen"))
      .filter(({ track }) => !this.#undecodable.has(key(who, track)))
      .sort((one, other) => (one.width ?? 0) * (one.height ?? 0) - (other.width ?? 0) * (other.height ?? 0));
    const small = wish.size === "small" && source === "camera";
    const best = tracks.at(small ? 0 : -1)?.track ?? null;
    const there = (track: number | null) => tracks.some((one) => one.track === track);
    if (!there(wish.shown)) wish.shown = this.#drop(who, wish.shown);
    if (wish.next !== best) wish.next = this.#drop(who, wish.next);
    if (best === null || best === wish.shown || best === wish.next) return;
    wish.next = best;
    this.#picture(who, best, true);
  }

  #drop(who: number, track: number | null): null {
    this.#picture(who, track, false);
    return null;
  }

  #picture(who: number, track: number | null, on: boolean): void {
    if (track === null) return;
    this.#events.show(who, track, on);
    this.#events.listen(who, track, on);
  }

  #hear(): void {
    const all = [...this.#people].flatMap(([who, { tracks, muted }]) =>
      tracks.filter((track) => !isPicture(track)).map(({ track }) => ({ who, track, muted })));
    all.sort((one, other) => Number(one.muted) - Number(other.muted));
    const wanted = new Map(all.slice(0, VOICES).map((voice) => [key(voice.who, voice.track), voice]));
    for (const [name, { who, track }] of this.#voices) if (!wanted.has(name)) this.#events.listen(who, track, false);
    for (const [name, { who, track }] of wanted) if (!this.#voices.has(name)) this.#events.listen(who, track, true);
    this.#voices = wanted;
  }
}
