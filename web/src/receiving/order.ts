// Puts frames of a track back into the order in which they were sent. What is missing is waited for as
// long as its turn has not come; what comes after that, or twice, is dropped. No clock: whoever holds it
// says when a turn has come.
import { BEHIND } from "./limits.ts";

/** Frames that wait for an earlier one, at most: 0.6 s of sound. */
const MOST = 32;

export interface Numbered {
  readonly number: number;
}

export class Order<T extends Numbered> {
  #next: number | null = null;
  #waiting: T[] = [];
  #behind = 0;

  /** The first frame that waits, and how many are missing before it. */
  get waits(): { readonly first: T; readonly missing: number } | null {
    const first = this.#waiting[0];
    return first && this.#next !== null ? { first, missing: first.number - this.#next } : null;
  }

  /** Takes a frame; `began` says that it is the first of a sender that began to count anew. */
  put(frame: T): { began: boolean; ready: T[] } {
    const { number } = frame;
    let began = this.#next === null;
    if (this.#next !== null && number < this.#next) {
      if (++this.#behind < BEHIND) return { began, ready: [] };
      began = true;
    }
    if (began) {
      this.#waiting = [];
      this.#next = number;
    }
    this.#behind = 0;
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1]?.number ?? 0) > number) at--;
    if (this.#waiting[at - 1]?.number === number) return { began, ready: [] };
    this.#waiting.splice(at, 0, frame);
    return { began, ready: this.#waiting.length > MOST ? this.release() : this.#take() };
  }

  /** Gives up what is missing before the first frame that waits. */
  release(): T[] {
    const first = this.#waiting[0];
    if (first) this.#next = first.number;
    return this.#take();
  }

  #take(): T[] {
    let count = 0;
    while (this.#next !== null && this.#waiting[count]?.number === this.#next) {
      this.#next++;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
