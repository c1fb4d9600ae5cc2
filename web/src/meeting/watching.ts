// Who is looked at, and how large: several places may show the same person. The worker is told what all of
// them together want, and of what is put up and taken down in one turn, only the difference.
import type { Size } from "../worker/messages.ts";
import type { Picture, PersonId, Source, Stop } from "./model.ts";

interface Watcher {
  readonly large: boolean;
  readonly show: (picture: Picture) => void;
}

interface Watched {
  readonly person: PersonId;
  readonly source: Source;
  readonly watchers: Set<Watcher>;
  asked: Size | null;
}

export class Watching {
  #all = new Map<string, Watched>();
  #ask: (person: PersonId, source: Source, size: Size | null) => void;
  #due = false;

  constructor(ask: (person: PersonId, source: Source, size: Size | null) => void) {
    this.#ask = ask;
  }

  watch(person: PersonId, source: Source, large: boolean, show: (picture: Picture) => void): Stop {
    const name = `${person} ${source}`;
    const watched = this.#all.get(name) ?? { person, source, watchers: new Set(), asked: null };
    this.#all.set(name, watched);
    const watcher = { large, show };
    watched.watchers.add(watcher);
    this.#settle();
    return () => {
      watched.watchers.delete(watcher);
      this.#settle();
    };
  }

  /** Draws, and closes it. */
  show(person: PersonId, source: Source, picture: VideoFrame): void {
    const { displayWidth: width, displayHeight: height } = picture;
    try {
      for (const { show } of this.#all.get(`${person} ${source}`)?.watchers ?? []) show({ image: picture, width, height });
    } finally {
      picture.close();
    }
  }

  #settle(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      for (const [name, watched] of this.#all) {
        const watchers = [...watched.watchers];
        const size = watchers.length === 0 ? null : watchers.some(({ large }) => large) ? "large" : "small";
        if (size !== watched.asked) this.#ask(watched.person, watched.source, size);
        watched.asked = size;
        if (size === null) this.#all.delete(name);
      }
    });
  }
}
