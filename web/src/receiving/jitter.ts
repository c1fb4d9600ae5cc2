// The jitter buffer of one sound: decoded packets go in as they come, an even stream comes out. It holds
// back as much as their delays differ, at once more when something is late, slowly less when nothing is;
// changes are whole periods left out or repeated, and what is missing is made up. No clock and no I/O: the
// audio thread passes the time in, in samples that it has played.
import { Concealment, PAST } from "./conceal.ts";
import { PER_MS, RATE } from "./limits.ts";
import { likeness, LONGEST, SPAN } from "./pitch.ts";
import { Spread } from "./spread.ts";

/** A decoded packet. They come in the order of their numbers. */
export interface Packet {
  readonly number: number;
  /** Microseconds of its sender's clock. */
  readonly timestamp: number;
  /** Milliseconds that it was kept on this device to wait for an earlier one: no delay of the network. */
  readonly held: number;
  readonly planes: readonly Float32Array[];
}

/** Samples kept: 0.7 s. What comes faster than it can be played is skipped. */
const SIZE = 1 << 15;
const MASK = SIZE - 1;
/** Samples behind the playhead that can be repeated. */
const BACK = LONGEST + SPAN;
/** Samples in which one place of the sound goes over into another. */
const FADE = 240;

/** Milliseconds held back at least and at most, and on top of what is measured. */
export const LEAST = 30;
export const MOST = 400;
const MARGIN = 15;
const PERCENT = 98;
/** A packet that came too late counts by itself: for 10 s after the last that was nearly as late, then it
 *  fades, by half in some 5 s. In packets. */
const CALM = 500;
const PEAK_FORGET = 0.997;
/** Milliseconds that the delay may be too long or too short before anything is left out or repeated. */
const LONG = 12;
const SHORT = 5;
/** Off by so much, it does not wait for a good place. */
const FAR = 150;
/** Milliseconds from one change to the next: while it is behind, and while it only holds back too much. */
const SOON = 60;
const LATER = 250;
/** Mean square below which nobody hears what is left out: -54 dB. */
const QUIET = 4e-6;
/** How alike two places have to be to go over into each other, in a hurry less. */
const ALIKE = 0.7;
const HURRIED = 0.3;
/** Milliseconds by which number and timestamp may disagree: more is a sender that paused. */
const PAUSE = 40;
/** Missing for longer, the sound begins anew. */
const LOST = RATE;
/** And for so long it does not play. */
const STOPPED = RATE / 5;

export class Jitter {
  readonly #planes: Float32Array[];
  readonly #scratch: Float32Array[];
  readonly #look = new Float32Array(BACK + LONGEST + SPAN);
  readonly #spread = new Spread();
  readonly #made: Concealment;
  /** The place after the newest sample, and the playhead; both count all samples. */
  #end = 0;
  #at = 0;
  /** Where the playhead was before the last jump, and samples that are left of going over. */
  #from = 0;
  #fading = 0;
  /** Samples at the end that were made up because nothing was there when they were played. */
  #missing = 0;
  /** What to add to a place for the sender's clock, in samples. */
  #offset = 0;
  #last: { number: number; clock: number; length: number } | null = null;
  #peak = 0;
  #calm = 0;
  #more = 0;
  #next = 0;
  /** Samples played that were made up (in gaps: while the sound goes on), left out or repeated: for tests and measuring. */
  readonly counts = { missing: 0, gaps: 0, lost: 0, skipped: 0, repeated: 0 };

  constructor(channels: number) {
    const planes = (length: number) => Array.from({ length: channels }, () => new Float32Array(length));
    this.#planes = planes(SIZE);
    this.#scratch = planes(PAST);
    this.#made = new Concealment(channels);
  }

  /** Milliseconds that are held back above the least delay: what is aimed at. */
  get target(): number {
    const wanted = Math.max(this.#spread.within(PERCENT), this.#peak) + MARGIN;
    return Math.min(MOST, Math.max(LEAST, wanted) + this.#more);
  }

  /** Milliseconds to hold back besides, for pictures of the same sender that are slower. */
  set more(time: number) {
    this.#more = time;
  }

  /** What the ear gets now, in microseconds of the sender's clock; nothing while nothing of it plays. */
  get playing(): number | null {
    if (!this.#last || this.#missing > STOPPED) return null;
    return ((this.#at + this.#offset) / PER_MS) * 1000;
  }

  push(now: number, packet: Packet): void {
    const { number, timestamp } = packet;
    const length = packet.planes[0]?.length ?? 0;
    if (length === 0 || length > SIZE / 4) return;
    const clock = (timestamp / 1000) * PER_MS;
    const above = this.#spread.add(now / PER_MS - packet.held, timestamp / 1000);
    if (above < MOST && above > 0.9 * this.#peak) this.#calm = 0;
    else if (++this.#calm > CALM) this.#peak *= PEAK_FORGET;
    const gap = this.#gap(number, clock);
    if (gap === null) {
      this.#begin(above);
    } else if (gap >= this.#missing) {
      const left = gap - this.#missing;
      this.counts.lost += left;
      this.#makeUp(left);
    } else {
      // It came after its time, and what stood in for it was heard: from here on all is played later.
      this.#offset -= this.#missing - gap;
      if (above < MOST) this.#peak = Math.max(this.#peak, above);
    }
    const own = clock - this.#end;
    // A sender's timestamps may tremble; its samples do not.
    if (gap === null) this.#offset = own;
    else this.#offset += (own - this.#offset) * 0.05;
    this.#missing = 0;
    this.#last = { number, clock, length };
    this.#append(packet.planes, length);
    this.#fit();
  }

  /** Samples between the packet before and this one; none when they do not belong together. */
  #gap(number: number, clock: number): number | null {
    if (!this.#last || number <= this.#last.number) return null;
    const counted = (number - this.#last.number - 1) * this.#last.length;
    const timed = clock - this.#last.clock - this.#last.length;
    const gap = Math.abs(counted - timed) > PAUSE * PER_MS ? Math.round(timed) : counted;
    return gap < 0 || gap > Math.max(LOST, this.#missing + PAUSE * PER_MS) ? null : gap;
  }

  /** The first packet of a stream waits as long as it would have if it had come among others. */
  #begin(above: number): void {
    const wait = Math.max(0, Math.round((this.target - above) * PER_MS)) - (this.#end - this.#at);
    this.#makeUp(Math.max(0, wait));
  }

  /** Puts made-up sound at the end. */
  #makeUp(count: number): void {
    if (count <= 0) return;
    if (!this.#made.active) {
      this.#planes.forEach((plane, channel) => {
        const past = this.#scratch[channel];
        if (past) for (let i = 0; i < PAST; i++) past[i] = plane[(this.#end - PAST + i) & MASK] ?? 0;
      });
      this.#made.begin(this.#scratch);
    }
    for (let left = count; left > 0; left -= PAST) {
      const part = Math.min(left, PAST);
      this.#made.fill(this.#scratch, part);
      this.#write(this.#scratch, part);
    }
  }

  #append(planes: readonly Float32Array[], length: number): void {
    const start = this.#end;
    const over = this.#made.active ? Math.min(FADE, length) : 0;
    if (over > 0) this.#made.fill(this.#scratch, over);
    this.#made.end();
    this.#write(planes, length);
    this.#planes.forEach((plane, channel) => {
      const made = this.#scratch[channel];
      for (let i = 0; i < over; i++) {
        const weight = i / over;
        const place = (start + i) & MASK;
        plane[place] = (plane[place] ?? 0) * weight + (made?.[i] ?? 0) * (1 - weight);
      }
    });
  }

  #write(planes: readonly Float32Array[], length: number): void {
    this.#planes.forEach((plane, channel) => {
      const from = planes[channel] ?? planes[0];
      for (let i = 0; i < length; i++) plane[(this.#end + i) & MASK] = from?.[i] ?? 0;
    });
    this.#end += length;
  }

  /** More came than is kept: the playhead goes on to where there is still sound. */
  #fit(): void {
    const most = SIZE - BACK - LONGEST - FADE;
    const over = this.#end - this.#at - most;
    if (over <= 0) return;
    this.counts.skipped += over;
    this.#jump(this.#at + over);
  }

  #jump(to: number): void {
    // Where two places go over into each other already, the older one is let go: a small step at worst.
    this.#from = this.#at;
    this.#fading = FADE;
    this.#at = to;
  }

  /** The next samples, added to what is in `left` and `right`. `now` is the time of the first. */
  pull(now: number, left: Float32Array, right: Float32Array): void {
    if (!this.#last) return;
    const length = left.length;
    if (this.#fading === 0 && now >= this.#next) this.#adapt(now);
    const short = this.#at + length - this.#end;
    if (short > 0) {
      // Who sends nothing any more has no poor line.
      this.counts.gaps += Math.max(0, Math.min(short, STOPPED - this.#missing));
      this.#missing += short;
      this.counts.missing += short;
      this.#makeUp(short);
    }
    const first = this.#planes[0];
    const second = this.#planes[1] ?? first;
    if (!first || !second) return;
    for (let i = 0; i < length; i++) {
      const place = (this.#at + i) & MASK;
      let a = first[place] ?? 0;
      let b = second[place] ?? 0;
      if (this.#fading > 0) {
        const weight = this.#fading / FADE;
        const old = (this.#from + i) & MASK;
        a += ((first[old] ?? 0) - a) * weight;
        b += ((second[old] ?? 0) - b) * weight;
        this.#fading--;
      }
      left[i] = (left[i] ?? 0) + a;
      right[i] = (right[i] ?? 0) + b;
    }
    this.#at += length;
    this.#from += length;
  }

  /** Leaves out or repeats a little when more or less is held back than should be. */
  #adapt(now: number): void {
    this.#next = now + SOON * PER_MS;
    const held = (now - this.#at - this.#offset) / PER_MS - this.#spread.base;
    const over = held - this.target;
    if (over < LONG && over > -SHORT) return;
    const ahead = this.#end - this.#at;
    if (over > FAR) {
      const skip = Math.min(Math.round(over * PER_MS), ahead - LEAST * PER_MS);
      if (skip < FADE) return;
      this.counts.skipped += skip;
      this.#jump(this.#at + skip);
      return;
    }
    const direction = over > 0 ? 1 : -1;
    if (direction === 1 && ahead < SPAN + LONGEST + FADE) return;
    for (let i = 0; i < this.#look.length; i++) {
      let sum = 0;
      for (const plane of this.#planes) sum += plane[(this.#at - BACK + i) & MASK] ?? 0;
      this.#look[i] = sum;
    }
    const { period, like, power } = likeness(this.#look, BACK, direction);
    const fits = like > (Math.abs(over) > FAR / 3 ? HURRIED : ALIKE);
    if (power > QUIET && !fits) return;
    if (direction === 1) {
      this.counts.skipped += period;
      if (over < FAR / 3) this.#next = now + LATER * PER_MS;
    } else {
      this.counts.repeated += period;
    }
    this.#jump(this.#at + direction * period);
  }
}
