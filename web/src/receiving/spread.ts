// How unevenly frames of a track arrive: each one's delay (arrival less timestamp) above the least of the
// last seconds. Clocks of sender and receiver need not agree, and may drift: only differences count.

const BIN = 5;
const BINS = 101;
/** What came a few seconds ago counts for little: some 250 frames, 5 s of sound. */
const FORGET = 0.996;
/** The least delay is that of the last one to two windows. */
const WINDOW = 5000;
/** A delay that changes by so much at once is another clock: a sender that began anew, a device that slept. */
const JUMP = 5000;

/** All times in milliseconds. */
export class Spread {
  #bins = new Float64Array(BINS);
  #sum = 0;
  #now = Infinity;
  #before = Infinity;
  #since = -Infinity;

  /** The least delay. */
  get base(): number {
    return Math.min(this.#now, this.#before);
  }

  /** Takes an arrival and says how far above the least its delay is. */
  add(arrival: number, timestamp: number): number {
    const delay = arrival - timestamp;
    if (Math.abs(delay - this.base) > JUMP) this.reset();
    if (arrival - this.#since > WINDOW || arrival < this.#since) {
      this.#before = this.#now;
      this.#now = Infinity;
      this.#since = arrival;
    }
    this.#now = Math.min(this.#now, delay);
    const late = delay - this.base;
    for (let i = 0; i < BINS; i++) this.#bins[i] = (this.#bins[i] ?? 0) * FORGET;
    this.#sum *= FORGET;
    // Nobody waits for what is later than this: it was a network that stood still, not one that is uneven.
    const bin = Math.ceil(late / BIN);
    if (bin < BINS) {
      this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
      this.#sum++;
    }
    return late;
  }

  /** Of a hundred frames so many come within this time above the least delay. */
  within(percent: number): number {
    let left = (this.#sum * (100 - percent)) / 100;
    for (let i = BINS - 1; i > 0; i--) {
      left -= this.#bins[i] ?? 0;
      if (left < 0) return i * BIN;
    }
    return 0;
  }

  reset(): void {
    this.#bins.fill(0);
    this.#sum = 0;
    this.#now = this.#before = Infinity;
    this.#since = -Infinity;
  }
}
