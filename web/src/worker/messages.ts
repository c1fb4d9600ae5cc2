// What page and worker say to each other. No key, and nothing sealed, is ever among it.
import type { LinkInfo, MeetingLinks, NewMeeting, Out, Standing } from "../../core/pkg/sottovoce.js";
import type { Sources } from "../meeting/media.ts";
import type { Source } from "../meeting/model.ts";

/** What a question is answered with. */
export interface Answers {
  read: { ask: string; answer: LinkInfo };
  make: { ask: NewMeeting; answer: MeetingLinks };
  /** The five words, by their places in a list. */
  words: { ask: string; answer: readonly number[] };
}

export type Question = { [Q in keyof Answers]: { readonly do: Q; readonly number: number; readonly ask: Answers[Q]["ask"] } }[keyof Answers];

/** What somebody in the chair does; the arguments are those of web/core's `Session`. */
export interface Commands {
  admit: [knock: number];
  admitAll: [on: boolean];
  deny: [knock: number];
  compare: [knock: number];
  sameWords: [knock: number, same: boolean];
  remove: [who: number];
  lock: [on: boolean];
  askQuiet: [];
}

export type Command = { [C in keyof Commands]: { readonly do: "command"; readonly what: C; readonly with: Commands[C] } }[keyof Commands];

/** How large somebody is shown. */
export type Size = "large" | "small";

export type ToWorker =
  | Question
  | { readonly do: "join"; readonly link: string; readonly name: string; readonly speaks: boolean; readonly sound: MessagePort }
  | { readonly do: "use"; readonly sources: Sources }
  | { readonly do: "standing"; readonly standing: Standing }
  | { readonly do: "watch"; readonly who: number; readonly source: Source; readonly size: Size | null }
  /** A picture was drawn: the next one may come. */
  | { readonly do: "drawn"; readonly who: number; readonly source: Source }
  | { readonly do: "say"; readonly text: string }
  | Command
  | { readonly do: "end-for-all" }
  /** `now`: the page goes away, and nothing is waited for. */
  | { readonly do: "leave"; readonly now: boolean };

/** What is done in the worker alone. */
type Inward = "connect" | "close" | "control" | "datagram" | "open" | "write" | "finish" | "reset" | "stop" | "frame";

/** What is for the page to know. */
export type Told = Exclude<Out, { kind: Inward }>;

export type FromWorker =
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown }
  /** `fault`: one of web/core's, or `no-core`. */
  | { readonly kind: "refused"; readonly number: number; readonly fault: string }
  | { readonly kind: "told"; readonly outs: readonly Told[] }
  /** A relay answers. */
  | { readonly kind: "connected" }
  | { readonly kind: "picture"; readonly who: number; readonly source: Source; readonly picture: VideoFrame }
  | { readonly kind: "speaking"; readonly who: number; readonly on: boolean }
  | { readonly kind: "uplink"; readonly state: "well" | "less" | "none" }
  /** A good part of what the others say does not come in time. */
  | { readonly kind: "downlink"; readonly poor: boolean }
  /** This browser does not encode it. */
  | { readonly kind: "unsent"; readonly what: "sound" | "picture" }
  /** A text that was to be said, and whether it went out. */
  | { readonly kind: "spoke"; readonly text: string; readonly went: boolean }
  /** The program is broken: nothing more comes. */
  | { readonly kind: "fault"; readonly why: "no-core" | "fault" }
  /** All connections are closed, after the end: nothing more comes. */
  | { readonly kind: "closed" };
