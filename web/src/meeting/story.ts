// What has happened in a meeting so far, as screens show it: each thing that the worker tells is taken in
// here, and a new `State` comes out.
import type { Listed } from "../../core/pkg/sottovoce.js";
import type { Heard } from "./media.ts";
import type { Told as Out } from "../worker/messages.ts";
import type { Kind, Line, LocalState, Notice, Person, PersonId, Problem, State, Waiting, WordList } from "./model.ts";
import { Knocks } from "./knocks.ts";
import { problemOf } from "./problems.ts";
import { wordsAt } from "./words.ts";

/** Oneself; the others have the core's numbers, and one more. */
export const SELF: PersonId = 0;
export const idOf = (who: number): PersonId => who + 1;
export const whoOf = (id: PersonId): number => id - 1;

/** What is kept of what was written, and of what was said once: memory has a bound, and no screen shows more. */
const LINES = 1000;
const NOTICES = 30;

/** Who is found on coming in has not come just now. */
const SETTLING_MS = 3000;
/** More people than one can greet. */
const MANY = 50;
/** What was written so shortly before the connection was lost may have been lost with it. */
const UNSURE_MS = 3000;

export interface Beginning {
  readonly kind: Kind;
  readonly title: string | null;
  /** Host names or addresses, in the link's order. */
  readonly relays: readonly string[];
  readonly link: string | null;
  readonly cohostLinks: readonly string[];
}

interface Known {
  name: string;
  tracks: readonly Heard[];
  hand: boolean;
  muted: boolean;
  playing: boolean;
  speaking: boolean;
  /** Tracks whose signatures are missing, or something was forged on. */
  unsigned: Set<number>;
  forged: Set<number>;
}

const WAITING: Record<Extract<Out, { kind: "waiting" }>["for"], Waiting> = {
  host: "host-not-here",
  decision: "waiting",
  unlock: "locked",
  place: "full",
};

export class Story {
  #state: State;
  #relays: readonly string[];
  #known = new Map<number, Known>();
  #roster: readonly Listed[] = [];
  #self = { name: "", hand: false, muted: true, camera: false, screen: false, playing: false };
  #knocks = new Knocks();
  #words: readonly number[] | null = null;
  #list: WordList = "en";
  #lost = false;
  /** The uplink, or what comes, does not hold. */
  #poor = { up: false, down: false };
  #settled = Infinity;
  #count = 0;

  constructor({ kind, title, relays, link, cohostLinks }: Beginning) {
    this.#relays = relays;
    this.#state = {
      phase: { at: "preview" }, kind, title, relay: relays[0] ?? "", viewer: false, inTheChair: false, people: [],
      chat: [], knocks: [], locked: false, admittingAll: false, chair: "well", line: "well", link, cohostLinks,
      told: [],
    };
  }

  get state(): State {
    return this.#state;
  }

  /** What this person says of itself. */
  get self(): { readonly hand: boolean; readonly muted: boolean; readonly playing: boolean } {
    const { hand, muted, playing } = this.#self;
    return { hand, muted, playing };
  }

  joins(name: string, viewer: boolean, list: WordList): void {
    this.#self.name = name;
    this.#list = list;
    this.#change({ viewer, phase: { at: "knocking", waiting: "connecting", compare: null } });
  }

  connected(): void {
    const { phase } = this.#state;
    if (phase.at === "knocking" && phase.waiting === "connecting") this.#change({ phase: { ...phase, waiting: "asking" } });
  }

  ends(problem: Problem): void {
    // Nothing of it is kept.
    this.#known.clear();
    this.#roster = [];
    this.#knocks = new Knocks();
    this.#self.name = "";
    this.#change({ phase: { at: "ended", problem }, title: null, chat: [], told: [], link: null, cohostLinks: [], inTheChair: false });
  }

  localIs({ microphone, camera, screen, playing }: LocalState): void {
    const plays = playing !== null;
    Object.assign(this.#self, { camera, screen, playing: plays, muted: !microphone && !plays });
    this.#change({});
  }

  handIs(up: boolean): void {
    this.#self.hand = up;
    this.#change({});
  }

  speaks(who: number, on: boolean): void {
    const known = this.#known.get(who);
    if (known) known.speaking = on;
    this.#change({});
  }

  uplinkIs(state: "well" | "less" | "none"): void {
    if (state !== "well" && !this.#poor.up && !this.#lost) this.tell({ kind: "uplink-slow" });
    this.#poor.up = state !== "well";
    this.#lineIs();
  }

  downlinkIs(poor: boolean): void {
    this.#poor.down = poor;
    this.#lineIs();
  }

  #lineIs(): void {
    const { up, down } = this.#poor;
    this.#change({ line: this.#lost ? "lost" : up || down ? "poor" : "well" });
  }

  spoke(text: string, went: boolean): void {
    if (went) this.#write(null, text);
    else this.tell({ kind: "chat-unsure" });
  }

  admitsAll(on: boolean): void {
    this.#change({ admittingAll: on });
  }

  asksToCompare(knock: number): void {
    this.#knocks.asked(knock);
    this.#change({});
  }

  /** A list of words was chosen, or has come. */
  wordsAreOf(list: WordList): void {
    this.#list = list;
    this.#compares(this.#words);
  }

  tell(notice: Notice): void {
    const told = [...this.#state.told, { id: (this.#count += 1), notice }];
    this.#change({ told: told.slice(-NOTICES) });
  }

  hear(out: Out): void {
    switch (out.kind) {
      case "waiting":
        return this.#waits(WAITING[out.for]);
      case "vigil":
        return this.#change({ viewer: !out.speaks });
      case "inside":
        this.#settled = Date.now() + SETTLING_MS;
        this.#words = null;
        return this.#change({ phase: { at: "in" } });
      case "title":
        return this.#change({ title: out.title });
      case "reconnecting":
        return this.#loses();
      case "reconnected":
        this.#lost = false;
        this.#settled = Date.now() + SETTLING_MS;
        return this.#lineIs();
      case "other-relay":
        return this.#change({ relay: this.#relays[out.number - 1] ?? this.#state.relay });
      case "person":
        return this.#comes(out);
      case "gone":
        return this.#goes(out);
      case "unheard":
        return this.speaks(out.who, false);
      case "track-ended":
        // The codecs know; what is announced follows.
        return;
      case "chat":
        return this.#write(out.who, out.text);
      case "knock":
        this.#knocks.came(out.number, out.name, out.taken);
        return this.#change({});
      case "knock-gone":
        this.#knocks.gone(out.number);
        return this.#change({});
      case "compare":
        if (out.number === undefined) return this.#compares(out.words);
        this.#knocks.words(out.number, out.words);
        return this.#change({});
      case "compared":
        this.#knocks.same(out.number);
        return this.#change({});
      case "no-words":
        if (out.number === undefined) return this.#compares(null);
        this.#knocks.failed(out.number, out.why === "used-up");
        return this.#change({});
      case "chair":
        if (this.#state.phase.at === "in") this.tell({ kind: out.held ? "chair-mine" : "chair-gone" });
        if (!out.held) this.#knocks = new Knocks();
        return this.#change({ inTheChair: out.held, admittingAll: out.held && this.#state.admittingAll });
      case "chair-heard":
        return this.#change({ chair: out.state });
      case "locked":
        return this.#change({ locked: out.locked });
      case "link":
        this.#change({ link: out.link });
        return this.tell({ kind: "new-link" });
      case "asked-to-be-quiet":
        return this.tell({ kind: "asked-quiet" });
      case "reported":
        return this.tell({ kind: "reported", name: out.name, rank: out.by });
      case "roster":
        this.#roster = out.members;
        return this.#change({});
      case "signatures":
        return this.#doubts(out);
      case "warning":
        // The others are no matter of a person's: what does not open is not shown.
        return out.what === "too-large-to-send" ? this.tell({ kind: "chat-unsure" }) : undefined;
      case "slow":
        // The encoders know, and say when it lasts.
        return;
      case "standing": {
        const { who, hand, muted, playing } = out;
        Object.assign(this.#someone(who), { hand, muted, playing });
        return this.#change({});
      }
      case "over":
        return this.ends(problemOf(out));
      default:
        return out satisfies never;
    }
  }

  #waits(waiting: Waiting): void {
    if (this.#state.phase.at === "knocking") this.#change({ phase: { ...this.#state.phase, waiting } });
  }

  #compares(words: readonly number[] | null): void {
    this.#words = words;
    const { phase } = this.#state;
    const compare = words && wordsAt(this.#list, words);
    this.#change(phase.at === "knocking" ? { phase: { ...phase, compare } } : {});
  }

  #loses(): void {
    this.#waits("connecting");
    if (this.#lost || this.#state.phase.at !== "in") return;
    this.#lost = true;
    this.#poor.down = false;
    this.#lineIs();
    const last = this.#state.chat.findLast(({ mine }) => mine);
    if (last && last.at > Date.now() - UNSURE_MS) this.tell({ kind: "chat-unsure" });
  }

  #comes({ who, name, returned, tracks }: Extract<Out, { kind: "person" }>): void {
    const isNew = !this.#known.has(who) && !returned;
    Object.assign(this.#someone(who), { name, tracks });
    if (isNew && Date.now() > this.#settled && this.#known.size < MANY) this.tell({ kind: "joined", name });
    this.#change({});
  }

  #goes({ who, why }: Extract<Out, { kind: "gone" }>): void {
    const known = this.#someone(who);
    Object.assign(known, { tracks: [], speaking: false, hand: false });
    if (why === "lost") return this.#change({});
    if (why === "removed" || this.#known.size < MANY) this.tell({ kind: why === "removed" ? "removed" : "left", name: known.name });
    this.#change({});
  }

  #doubts({ who, track, state }: Extract<Out, { kind: "signatures" }>): void {
    const { name, unsigned, forged } = this.#someone(who);
    unsigned.delete(track);
    if (state === "good") forged.delete(track);
    if (state === "missing") unsigned.add(track);
    if (state === "forged") forged.add(track);
    if (state !== "good") this.tell({ kind: state === "missing" ? "unsigned" : "forged", name });
    this.#change({});
  }

  #write(who: number | null, text: string): void {
    const name = who === null ? this.#ownName() : this.#someone(who).name;
    const line: Line = {
      id: (this.#count += 1), from: who === null ? SELF : idOf(who), name, text, at: Date.now(), mine: who === null,
    };
    this.#change({ chat: [...this.#state.chat, line].slice(-LINES) });
  }

  #someone(who: number): Known {
    const known = this.#known.get(who) ?? {
      name: "", tracks: [], hand: false, muted: false, playing: false, speaking: false, unsigned: new Set(), forged: new Set(),
    };
    this.#known.set(who, known);
    return known;
  }

  #ownName(): string {
    return this.#roster.find(({ who }) => who === undefined)?.name ?? this.#self.name;
  }

  #change(change: Partial<State>): void {
    const next = { ...this.#state, ...change };
    this.#state = { ...next, people: this.#people(next), knocks: this.#knocks.all(this.#list) };
  }

  /** Who is in the group's tree, and before that oneself. */
  #people({ phase, viewer }: State): readonly Person[] {
    if (phase.at === "ended" || phase.at === "preview") return [];
    if (phase.at === "knocking" || this.#roster.length === 0) return viewer ? [] : [this.#own(null)];
    return this.#roster.map((listed) => (listed.who === undefined ? this.#own(listed) : this.#other(listed, listed.who)));
  }

  #own(listed: Listed | null): Person {
    const { name, ...self } = this.#self;
    return {
      ...self, id: SELF, name: listed?.name ?? name, self: true, rank: listed?.rank ?? null, here: true, speaking: false,
      doubt: "none",
    };
  }

  #other({ name, rank, here }: Listed, who: number): Person {
    const known = this.#known.get(who);
    const shows = (screen: boolean) => !!known?.tracks.some((track) => track.codec !== "opus" && track.screen === screen);
    return {
      id: idOf(who), name, self: false, rank: rank ?? null, here, muted: known?.muted ?? false, hand: known?.hand ?? false,
      speaking: known?.speaking ?? false, camera: shows(false), screen: shows(true), playing: known?.playing ?? false,
      doubt: known?.forged.size ? "forged" : known?.unsigned.size ? "unsigned" : "none",
    };
  }
}
