// What is sent less of when the network or this device does not hold, step by step, and how it comes back.
// Never the sound. A state machine without a clock: whoever calls says what time it is, in milliseconds.
import type { Most } from "./sizes.ts";

export interface Plan {
  readonly large: Most | null;
  readonly small: Most | null;
  readonly screen: Most;
}

const SMALL: Most = { long: 320, short: 180, bitrate: 140_000, fps: 15 };
const LARGE: Most = { long: 1280, short: 720, bitrate: 1_200_000, fps: 24 };
const SCREEN: Most = { long: 1920, short: 1080, bitrate: 2_000_000, fps: 15 };

const ALL: Plan = { large: LARGE, small: SMALL, screen: SCREEN };

/** From all of it down. The screen is last: it is what people look at. */
const STEPS: readonly { readonly of: "camera" | "screen"; readonly plan: Plan }[] = (() => {
  const fewer: Plan = { ...ALL, large: { ...LARGE, bitrate: 700_000 } };
  const smaller: Plan = { ...ALL, large: { long: 853, short: 480, bitrate: 400_000, fps: 20 } };
  const noLarge: Plan = { ...ALL, large: null };
  const none: Plan = { ...noLarge, small: null };
  const slower: Plan = { ...none, screen: { ...SCREEN, bitrate: 1_000_000, fps: 8 } };
  const slowest: Plan = { ...none, screen: { long: 1280, short: 720, bitrate: 500_000, fps: 4 } };
  return [
    ...[ALL, fewer, smaller, noLarge, none].map((plan) => ({ of: "camera", plan }) as const),
    ...[slower, slowest].map((plan) => ({ of: "screen", plan }) as const),
  ];
})();

/** After a step down what was already on its way may still be slow: it says nothing of the new step. */
const SETTLE = 1_500;
/** Calm for so long: a step up is tried. */
const CALM = 10_000;
/** Each try that fails doubles it, up to this. */
const LONGEST = 160_000;

export interface Present {
  readonly camera: boolean;
  readonly screen: boolean;
}

export class Ladder {
  #level = 0;
  #plan = ALL;
  #present: Present = { camera: false, screen: false };
  #wait = CALM;
  #changed = -Infinity;
  #calmSince = -Infinity;
  /** The last step was up, and has not held yet for as long as it was waited for. */
  #trying = false;

  plan(): Plan {
    return this.#plan;
  }

  uplink(): "well" | "less" | "none" {
    const { camera, screen } = this.#present;
    if (!STEPS.some(({ of }, level) => level > 0 && level <= this.#level && this.#present[of])) return "well";
    return camera && !screen && this.plan().small === null ? "none" : "less";
  }

  /** What there is to be sent. Steps that would take nothing away are passed over. */
  present(present: Present): void {
    this.#present = present;
  }

  /** It does not hold. Says whether the plan is another one now. */
  slow(now: number): boolean {
    this.#calmSince = now;
    if (now - this.#changed < SETTLE) return false;
    const level = STEPS.findIndex(({ of }, at) => at > this.#level && this.#present[of]);
    if (level < 0) return false;
    if (this.#trying) this.#wait = Math.min(this.#wait * 2, LONGEST);
    this.#trying = false;
    this.#to(level, now);
    return true;
  }

  /** Time has passed. Says whether the plan is another one now. */
  tick(now: number): boolean {
    if (this.#level === 0 && !this.#trying) return false;
    if (now - Math.max(this.#calmSince, this.#changed) < this.#wait) return false;
    if (this.#trying) this.#wait = CALM;
    this.#trying = this.#level > 0;
    if (this.#level === 0) return false;
    let level = this.#level - 1;
    while (!STEPS.some(({ of }, at) => at === level && this.#present[of]) && level > 0) level--;
    this.#to(level, now);
    return true;
  }

  #to(level: number, now: number): void {
    this.#level = level;
    this.#plan = STEPS[level]?.plan ?? ALL;
    this.#changed = now;
    this.#calmSince = now;
  }
}
