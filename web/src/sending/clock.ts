// The clock of what is sent: microseconds since this participant's beginning, the same for all its tracks.
// Devices stamp what they give by clocks of their own: a microphone by its count of samples, a camera by
// the system's time, a video element by the page's. What all have in common is the moment in which it
// arrives here, and that is never too early, only late by what the way took.

export type Clock = () => number;

export function clock(): Clock {
  const beginning = performance.now();
  return () => Math.round((performance.now() - beginning) * 1000);
}

/**
 * From a source's stamps to our clock. Whatever took the shortest way lately tells how far the two are
 * apart; what came later than its stamp says was held up. Lately, since clocks drift and devices stall.
 */
export class Mapping {
  #window: number;
  #least = Infinity;
  #before = Infinity;
  #until = 0;

  /** How long the shortest way counts, in microseconds; up to twice as long. */
  constructor(window: number) {
    this.#window = window;
  }

  at(stamp: number, arrived: number): number {
    if (arrived >= this.#until) {
      this.#until = arrived + this.#window;
      this.#before = this.#least;
      this.#least = Infinity;
    }
    this.#least = Math.min(this.#least, arrived - stamp);
    return Math.round(stamp + Math.min(this.#least, this.#before));
  }
}
