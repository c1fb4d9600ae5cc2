// How much longer a sound is to be held back so that the pictures that belong to it are there in time.

/** Milliseconds more, at most: talking with somebody who hears later than this is no talk. */
const MOST = 200;
/** A picture that is later than this says that something stood still. */
const STALLED = 400;
/** Milliseconds between two changes: the sound needs some to follow. */
const PACE = 500;
/** Pictures should be ready so long before their time; from far before on, less will do. */
const READY = 10;
const EARLY = 35;
const LESS = 5;

export class Lag {
  #late = -EARLY;
  #next = 0;
  #more = 0;

  /** Takes by how much a picture was late (negative: early); what to hold back, when that changes. */
  take(now: number, late: number): number | null {
    if (late > STALLED) return null;
    this.#late += (late - this.#late) * (late > this.#late ? 0.2 : 0.02);
    if (now < this.#next) return null;
    this.#next = now + PACE;
    const before = this.#more;
    if (this.#late > -READY) this.#more = Math.min(MOST, before + this.#late + READY);
    else if (this.#late < -EARLY) this.#more = Math.max(0, before - LESS);
    this.#late -= this.#more - before;
    return this.#more === before ? null : this.#more;
  }
}
