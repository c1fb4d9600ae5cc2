// Which moment of each voice is at the ear, told by the audio thread from time to time and reckoned on.
import type { FromPlayer, Key } from "./messages.ts";

/** Milliseconds after which a voice that is not told of does not play. */
const STALE = 500;
/** Milliseconds without a word after which the player sleeps: it tells ten times a second. */
const ASLEEP = 1000;
/** Microseconds by which a word may differ from what was reckoned before it is taken as it is. */
const JUMP = 15_000;

interface Position {
  /** The sender's timestamp less this clock, in microseconds. */
  offset: number;
  told: number;
}

export class Positions {
  #played = new Map<Key, Position>();
  /** Milliseconds from being played to the ear. */
  #latency = 0;
  missing = 0;
  #told = -Infinity;

  /** Those who are played. */
  get voices(): number {
    return this.#played.size;
  }

  /** Does the player play? A browser may hold it back, and what it is sent then would pile up in its port. */
  awake(now: number): boolean {
    return now - this.#told < ASLEEP;
  }

  take(now: number, { latency, playing, missing }: FromPlayer): void {
    this.#told = now;
    this.#latency = latency;
    this.missing = missing;
    for (const [key, timestamp] of playing) {
      const offset = timestamp - now * 1000;
      const position = this.#played.get(key);
      if (!position) {
        this.#played.set(key, { offset, told: now });
        continue;
      }
      // Words come in bursts, as sound is made: one alone is off by some milliseconds.
      const change = offset - position.offset;
      position.offset += Math.abs(change) > JUMP ? change : change * 0.2;
      position.told = now;
    }
    for (const [key, { told }] of this.#played) if (now - told > STALE) this.#played.delete(key);
  }

  /** The sender's timestamp that the mixer is at. */
  played(now: number, key: Key): number | null {
    const position = this.#played.get(key);
    return position && now - position.told <= STALE ? position.offset + now * 1000 : null;
  }

  /** The sender's timestamp that is heard. */
  heard(now: number, key: Key): number | null {
    const played = this.played(now, key);
    return played === null ? null : played - this.#latency * 1000;
  }

  forget(key: Key): void {
    this.#played.delete(key);
  }
}
