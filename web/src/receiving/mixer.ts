// Everybody's voice into one: each from its own jitter buffer, added up and kept from going over.
import { Jitter } from "./jitter.ts";
import { MOST_VOICES, PER_MS } from "./limits.ts";
import type { FromPlayer, Key, ToPlayer } from "./messages.ts";

/** Where the limiter begins, and how fast it lets go again: from half to whole in some 0.2 s. */
const CEILING = 0.9;
const RELEASE = 1.01;
/** Samples between two words about what plays, and a jump that is told at once, in microseconds. */
const TELL = 100 * PER_MS;
const JUMP = 15_000;

export class Mixer {
  #voices = new Map<Key, Jitter>();
  #told = new Map<Key, number>();
  /** Those that fade out in the next block, and are no more. */
  #ending: Jitter[] = [];
  #ended = [new Float32Array(0), new Float32Array(0)] as const;
  #gain = 1;
  #next = 0;
  #latency = 0;

  set latency(time: number) {
    this.#latency = time;
  }

  take(now: number, message: ToPlayer): void {
    switch (message.kind) {
      case "sound": {
        let voice = this.#voices.get(message.key);
        if (!voice) {
          if (this.#voices.size >= MOST_VOICES) return;
          voice = new Jitter(Math.min(2, message.planes.length));
          this.#voices.set(message.key, voice);
        }
        voice.push(now, message);
        break;
      }
      case "more": {
        const voice = this.#voices.get(message.key);
        if (voice) voice.more = message.time;
        break;
      }
      case "stop": {
        const voice = this.#voices.get(message.key);
        if (voice) this.#ending.push(voice);
        this.#voices.delete(message.key);
        this.#told.delete(message.key);
        break;
      }
      case "close":
        this.#voices.clear();
        this.#told.clear();
        break;
    }
  }

  /** The next block of both ears. */
  pull(now: number, left: Float32Array, right: Float32Array): void {
    left.fill(0);
    right.fill(0);
    for (const voice of this.#voices.values()) voice.pull(now, left, right);
    if (this.#ending.length > 0) this.#fadeOut(now, left, right);
    this.#limit(left, right);
  }

  #fadeOut(now: number, left: Float32Array, right: Float32Array): void {
    const { length } = left;
    if (this.#ended[0].length !== length) this.#ended = [new Float32Array(length), new Float32Array(length)];
    const [a, b] = this.#ended;
    a.fill(0);
    b.fill(0);
    for (const voice of this.#ending) voice.pull(now, a, b);
    this.#ending = [];
    for (let i = 0; i < length; i++) {
      const weight = 1 - (i + 1) / length;
      left[i] = (left[i] ?? 0) + (a[i] ?? 0) * weight;
      right[i] = (right[i] ?? 0) + (b[i] ?? 0) * weight;
    }
  }

  /** Many at once would be clipped, which hurts: the gain goes down for what is too loud and comes back slowly. */
  #limit(left: Float32Array, right: Float32Array): void {
    let peak = 0;
    for (let i = 0; i < left.length; i++) peak = Math.max(peak, Math.abs(left[i] ?? 0), Math.abs(right[i] ?? 0));
    const before = this.#gain;
    const after = Math.min(1, before * RELEASE, CEILING / Math.max(peak, CEILING));
    this.#gain = after;
    if (before === 1 && after === 1) return;
    for (let i = 0; i < left.length; i++) {
      const gain = before + ((after - before) * (i + 1)) / left.length;
      left[i] = soft((left[i] ?? 0) * gain);
      right[i] = soft((right[i] ?? 0) * gain);
    }
  }

  /** What plays, when it is time to say so. */
  tell(now: number): FromPlayer | null {
    let jumped = false;
    const playing: [Key, number][] = [];
    for (const [key, voice] of this.#voices) {
      const timestamp = voice.playing;
      if (timestamp === null) {
        this.#told.delete(key);
        continue;
      }
      playing.push([key, timestamp]);
      // Told as a difference to this clock, which stays the same as long as nothing jumps.
      const before = this.#told.get(key);
      const difference = timestamp - (now / PER_MS) * 1000;
      if (before === undefined || Math.abs(difference - before) > JUMP) jumped = true;
    }
    if (!jumped && now < this.#next) return null;
    this.#next = now + TELL;
    for (const [key, timestamp] of playing) this.#told.set(key, timestamp - (now / PER_MS) * 1000);
    let missing = 0;
    for (const { counts } of this.#voices.values()) missing += (counts.gaps + counts.lost) / PER_MS;
    return { latency: this.#latency, playing, missing };
  }
}

/** The beginning of a sudden loud sound, which the gain comes too late for, is bent instead of cut. */
function soft(sample: number): number {
  const size = Math.abs(sample);
  if (size <= CEILING) return sample;
  const room = 1 - CEILING;
  return Math.sign(sample) * (CEILING + room * Math.tanh((size - CEILING) / room));
}
