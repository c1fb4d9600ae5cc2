// After which time a sound looks like itself: the period of a voice, or what comes nearest to one. Sound is
// lengthened, shortened and made up in whole periods, which is what ears notice least.

/** Samples that are compared. */
export const SPAN = 480;
/** From 400 down to 66 Hz. Multiples of a shorter period are found in its place. */
export const SHORTEST = 120;
export const LONGEST = 720;
/** The first, coarse look takes each fourth sample. */
const STEP = 4;

export interface Likeness {
  /** Samples. */
  readonly period: number;
  /** From -1 to 1. */
  readonly like: number;
  /** Mean square of what was compared. */
  readonly power: number;
}

function compare(sound: Float32Array, a: number, b: number, step: number): number {
  let both = 0;
  let powerA = 1e-9;
  let powerB = 1e-9;
  for (let i = 0; i < SPAN; i += step) {
    const x = sound[a + i] ?? 0;
    const y = sound[b + i] ?? 0;
    both += x * y;
    powerA += x * x;
    powerB += y * y;
  }
  return both / Math.sqrt(powerA * powerB);
}

/** Looks for what is at `at` in `sound`, earlier (-1) or later (1). */
export function likeness(sound: Float32Array, at: number, direction: 1 | -1): Likeness {
  let best = SHORTEST;
  let like = -1;
  for (let period = SHORTEST; period <= LONGEST; period += STEP) {
    const here = compare(sound, at, at + direction * period, STEP);
    // A longer one has to be better to be taken: a voice's period is the shortest of those that fit.
    if (here > like + 0.01) {
      like = here;
      best = period;
    }
  }
  like = -1;
  let exact = best;
  for (let period = Math.max(SHORTEST, best - STEP); period <= Math.min(LONGEST, best + STEP); period++) {
    const here = compare(sound, at, at + direction * period, 1);
    if (here > like) {
      like = here;
      exact = period;
    }
  }
  let power = 0;
  for (let i = 0; i < SPAN; i++) power += (sound[at + i] ?? 0) ** 2;
  return { period: exact, like, power: power / SPAN };
}
