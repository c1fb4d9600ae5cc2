// When each packet of sound is sent, and of what: one for every 20 ms as long as the track is on, whatever
// the device does. Sizes and times are then the same for speech, silence and a stalled microphone.

/** Microseconds of one packet. */
export const BLOCK = 20_000;
/** How late a block may be before silence is sent in its place: above what a busy audio thread does. */
const GAP = 60_000;
/** A longer gap is none: the device slept, and nobody waits for it. */
const SLEPT = 1_000_000;
/** How far a timestamp may step aside to follow the device's clock: 1.25 %, which nobody hears. */
const STEP = 250;

export class Timeline {
  #due: number;

  constructor(now: number) {
    this.#due = now;
  }

  /**
   * A block that was captured at `at`: the times of packets of silence that go before it, and its own;
   * `null` where its time is filled already.
   */
  block(at: number): { readonly silence: readonly number[]; readonly at: number } | null {
    if (at < this.#due - BLOCK * 1.5) return null;
    if (at - this.#due > SLEPT) this.#due = at;
    const silence: number[] = [];
    if (at - this.#due > GAP) {
      while (at - this.#due > BLOCK / 2) silence.push(this.#next());
    }
    this.#due += Math.round(Math.max(-STEP, Math.min(STEP, (at - this.#due) / 16)));
    return { silence, at: this.#next() };
  }

  /** Times of packets of silence, where blocks have not come. */
  fill(now: number): readonly number[] {
    if (now - this.#due > SLEPT) this.#due = now - BLOCK - GAP;
    const silence: number[] = [];
    while (now - this.#due > BLOCK + GAP) silence.push(this.#next());
    return silence;
  }

  #next(): number {
    const at = this.#due;
    this.#due += BLOCK;
    return at;
  }
}
