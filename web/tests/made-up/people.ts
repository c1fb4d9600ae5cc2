// Made-up people, with names of all kinds that a screen has to bear.
import type { Person } from "../../src/meeting/model.ts";

const NAMES = [
  "Amina", "ئايگۈل", "Tenzin བསྟན་འཛིན", "王小明", "Giulia", "Rukiye", "陳美玲", "Pema", "Marco De Santis", "ئابدۇرەھىم تاشمەت",
  "Dolma", "Li Wei", "Anna-Maria von Hohenlohe-Waldenburg-Schillingsfürst", "Yusuf", "Sonam", "Chiara", "Nur", "林", "Karma", "Zeynep",
];

export function person(id: number, change: Partial<Person> = {}): Person {
  const name = NAMES[id % NAMES.length] ?? "Nobody";
  return {
    id,
    name: id < NAMES.length ? name : `${name} ${Math.floor(id / NAMES.length) + 1}`,
    self: false,
    rank: null,
    here: true,
    muted: true,
    hand: false,
    speaking: false,
    camera: id % 3 !== 1,
    screen: false,
    playing: false,
    doubt: "none",
    ...change,
  };
}

/** The first is oneself, the second the host; the third speaks. */
export function people(count: number, self: Partial<Person> = {}): Person[] {
  return Array.from({ length: count }, (_, id) => {
    if (id === 0) return person(id, { self: true, camera: false, ...self });
    if (id === 1) return person(id, { rank: 0, muted: false });
    if (id === 2) return person(id, { rank: 1, speaking: true, muted: false });
    if (id === 4) return person(id, { hand: true });
    if (id === 6) return person(id, { here: false });
    if (id === 7) return person(id, { doubt: "unsigned" });
    return person(id);
  });
}
