// Every state that a screen can show, by the name in the page's address: ?scene=NAME.
import type { Knock, Line, Notice, Phase, Problem, State, Waiting } from "../../src/meeting/model.ts";
import { people, person } from "./people.ts";

const LINK = "https://relay.example:4433/#" + "AwBkZW1vLWRlbW8tZGVtby1kZW1v".repeat(6);

export const base: State = {
  phase: { at: "preview" },
  kind: "meeting",
  title: null,
  relay: "relay.example",
  viewer: false,
  inTheChair: false,
  people: [],
  chat: [],
  knocks: [],
  locked: false,
  admittingAll: false,
  chair: "well",
  line: "well",
  link: null,
  cohostLinks: [],
  told: [],
};

const TITLE = "An evening for Ilham";
const knocking = (waiting: Waiting, compare: readonly string[] | null = null): Partial<State> => ({
  phase: { at: "knocking", waiting, compare },
  people: [person(0, { self: true })],
});
const inside: Phase = { at: "in" };
const meeting = (count: number, change: Partial<State> = {}): Partial<State> => ({
  phase: inside,
  title: TITLE,
  people: people(count),
  ...change,
});
const told = (...notices: Notice[]) => notices.map((notice, at) => ({ id: at + 1, notice }));

const start = Date.UTC(2026, 10, 28, 18, 30);
const chat: Line[] = [
  { id: 1, from: 1, name: "ئايگۈل", text: "خۇش كەپسىز", at: start, mine: false },
  { id: 2, from: 2, name: "Tenzin བསྟན་འཛིན", text: "བཀྲ་ཤིས་བདེ་ལེགས།", at: start + 60_000, mine: false },
  { id: 3, from: 0, name: "Amina", text: "Good evening, everyone. We begin in five minutes.", at: start + 90_000, mine: true },
  { id: 4, from: 3, name: "王小明", text: "我们在这里。", at: start + 120_000, mine: false },
  {
    id: 5,
    from: 4,
    name: "Giulia",
    text: "AVeryLongWordWithoutAnyPlaceToBreakItThatSomebodyPastedHereWithoutThinkingOfPhones\nand a second line",
    at: start + 180_000,
    mine: false,
  },
];

const knocks: Knock[] = [
  { number: 1, name: "Rebiya", taken: false, compare: { at: "none" } },
  { number: 2, name: "Pasang Lhamo", taken: false, compare: { at: "shown", words: ["harbour", "lantern"] } },
  { number: 3, name: "老周", taken: false, compare: { at: "same", words: ["velvet", "orchard"] } },
  { number: 4, name: "Somebody with a name that is as long as a name may be, truly", taken: false, compare: { at: "failed", usedUp: true } },
  { number: 5, name: "Nobody", taken: true, compare: { at: "asked" } },
];

const host: Partial<State> = {
  kind: "host",
  inTheChair: true,
  link: LINK,
  cohostLinks: [LINK.replace("#", "#COHOST-1-KEEP-SECRET."), LINK.replace("#", "#COHOST-2-KEEP-SECRET.")],
};
const asHost = (count: number, change: Partial<State> = {}) =>
  meeting(count, { ...host, people: people(count, { rank: 0 }), ...change });

export const PROBLEMS: readonly Problem[] = [
  "link-incomplete", "link-version", "no-webtransport", "no-webcodecs", "insecure", "no-core", "unreachable",
  "wrong-certificate", "clock-wrong", "room-full", "relay-full", "pass", "version", "too-slow", "lost", "fault",
  "denied", "removed", "in-use", "ended", "left",
];

export const scenes: Record<string, Partial<State>> = {
  preview: {},
  "preview-host": { kind: "host", title: TITLE },
  "preview-cohost": { kind: "cohost" },
  "preview-vigil": { kind: "vigil", title: "A light for those who are gone" },
  "knocking-connecting": knocking("connecting"),
  "knocking-asking": knocking("asking"),
  "knocking-host-not-here": knocking("host-not-here"),
  "knocking-waiting": knocking("waiting"),
  "knocking-locked": knocking("locked"),
  "knocking-full": knocking("full"),
  "knocking-compare": knocking("waiting", ["harbour", "lantern"]),
  "meeting-1": meeting(1),
  "meeting-2": meeting(2),
  "meeting-4": meeting(4),
  "meeting-9": meeting(9, { chat }),
  "meeting-25": meeting(25),
  "meeting-49": meeting(49),
  "meeting-120": meeting(120),
  screen: meeting(7, {
    people: people(7).map((one) => (one.id === 3 ? { ...one, screen: true, speaking: true } : one)),
  }),
  stale: meeting(4, { chair: "stale", line: "poor" }),
  stopped: meeting(4, { chair: "stopped", line: "lost" }),
  told: meeting(4, {
    told: told(
      { kind: "joined", name: "Rebiya" },
      { kind: "asked-quiet" },
      { kind: "forged", name: "Pema" },
      { kind: "chat-unsure" },
    ),
  }),
  host: asHost(9, { knocks, chat }),
  "host-one-knock": asHost(6, { knocks: knocks.slice(0, 1), locked: true }),
  "host-all": asHost(6, { admittingAll: true, told: told({ kind: "new-link" }) }),
  "vigil-speaker": meeting(4, { kind: "vigil" }),
  "vigil-viewer": {
    phase: inside,
    kind: "vigil",
    viewer: true,
    title: "A light for those who are gone",
    people: [person(1, { rank: 0, muted: false, camera: true }), person(2, { speaking: true, muted: false }), person(3, { playing: true, camera: true })],
  },
  ...Object.fromEntries(PROBLEMS.map((problem) => [`ended-${problem}`, { phase: { at: "ended", problem } } as const])),
};
