// Who speaks, from decoded sound: on at once, off after half a second of quiet. Loud is what stands out from
// what this sound is at its quietest, so that a fan is not a speaker.

/** Decibels below full scale: never speech, and always speech. */
const NEVER = -50;
const ALWAYS = -30;
/** Decibels above the quietest that turn it on, and that keep it on. */
const ON = 12;
const KEEP = 7;
/** Milliseconds of loud sound until it is on (a knock on the table is shorter), of quiet until it is off. */
const ATTACK = 40;
const RELEASE = 500;
/** Decibels a second by which the quietest is forgotten. */
const FORGET = 2;

export class Speaking {
  #floor = NEVER;
  #loud = 0;
  #quiet = 0;
  on = false;

  /** Takes a packet's first channel, of so many milliseconds; true when somebody began or ended to speak. */
  take(plane: Float32Array, time: number): boolean {
    let sum = 0;
    for (const sample of plane) sum += sample * sample;
    const level = 10 * Math.log10(sum / Math.max(1, plane.length) + 1e-10);
    this.#floor = Math.min(level, this.#floor + (FORGET * time) / 1000, ALWAYS - ON);
    const above = Math.max(NEVER, this.#floor + (this.on ? KEEP : ON));
    if (level > Math.min(above, ALWAYS)) {
      this.#quiet = 0;
      this.#loud += time;
    } else {
      this.#loud = 0;
      this.#quiet += time;
    }
    const on = this.on ? this.#quiet < RELEASE : this.#loud >= ATTACK;
    if (on === this.on) return false;
    this.on = on;
    return true;
  }
}
