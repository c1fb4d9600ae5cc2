// Makes up sound where some is missing: the last period again and again, ever softer, then silence. Where
// it begins and where true sound comes back there is no step, which would be heard as a click.
import { PER_MS } from "./limits.ts";
import { likeness, LONGEST, SPAN } from "./pitch.ts";

/** Samples that have to be known of what came before. */
export const PAST = LONGEST + SPAN;
/** As loud as before for so long, then softer until there is nothing left: longer sounds like a machine. */
const LOUD = 10 * PER_MS;
const GONE = 60 * PER_MS;
/** What lies less than this like its own past is noise, and a short period of it would be a tone. */
const TONAL = 0.4;
/** Samples in which the step at the beginning is taken back. */
const STEP = 48;

export class Concealment {
  #cycles: Float32Array[];
  #steps: number[];
  #mono = new Float32Array(PAST);
  #period = LONGEST;
  #done = 0;
  #active = false;

  constructor(channels: number) {
    this.#cycles = Array.from({ length: channels }, () => new Float32Array(LONGEST));
    this.#steps = Array.from({ length: channels }, () => 0);
  }

  get active(): boolean {
    return this.#active;
  }

  /** `past` holds the last `PAST` samples of each channel. */
  begin(past: readonly Float32Array[]): void {
    this.#mono.fill(0);
    for (const plane of past) for (let i = 0; i < PAST; i++) this.#mono[i] = (this.#mono[i] ?? 0) + (plane[i] ?? 0);
    const { period, like } = likeness(this.#mono, LONGEST, -1);
    this.#period = like < TONAL ? LONGEST : period;
    const length = this.#period;
    // The end of the period goes over into what came before its beginning, so that it meets itself.
    const over = length >> 2;
    this.#cycles.forEach((cycle, channel) => {
      const plane = past[channel] ?? this.#mono;
      for (let i = 0; i < length; i++) cycle[i] = plane[PAST - length + i] ?? 0;
      for (let i = 0; i < over; i++) {
        const weight = (i + 1) / over;
        const earlier = plane[PAST - length - over + i] ?? 0;
        cycle[length - over + i] = (plane[PAST - over + i] ?? 0) * (1 - weight) + earlier * weight;
      }
      this.#steps[channel] = (plane[PAST - 1] ?? 0) - (cycle[length - 1] ?? 0);
    });
    this.#done = 0;
    this.#active = true;
  }

  /** The next `count` samples of each channel. */
  fill(out: readonly Float32Array[], count: number): void {
    out.forEach((plane, channel) => {
      const cycle = this.#cycles[channel];
      const step = this.#steps[channel] ?? 0;
      for (let i = 0; i < count; i++) {
        const at = this.#done + i;
        const gain = at < LOUD ? 1 : Math.max(0, 1 - (at - LOUD) / (GONE - LOUD));
        const back = at < STEP ? step * (1 - (at + 1) / STEP) : 0;
        plane[i] = gain === 0 ? 0 : ((cycle?.[at % this.#period] ?? 0) + back) * gain;
      }
    });
    this.#done += count;
  }

  end(): void {
    this.#active = false;
  }
}
