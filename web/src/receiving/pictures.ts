// One track of pictures: encoded ones wait until shortly before their time, since decoded ones are scarce;
// each is shown when its sound is heard, or where there is none after a delay of its own.
import { Gate } from "./gate.ts";
import { LARGEST_PICTURE, MOST_FAILURES, READY_PICTURES, WAITING_BYTES, WAITING_PICTURES } from "./limits.ts";
import { pixels } from "./sizes.ts";
import type { Came } from "./sound.ts";
import { Spread } from "./spread.ts";

export type Codec = "vp8" | "vp9" | "av1";

export interface PictureEvents {
  /** Whoever takes it closes it. */
  picture(picture: VideoFrame): void;
  failed(): void;
  /** The timestamp of this sender's sound that is heard now. */
  heard(): number | null;
  /** A picture was ready so many milliseconds after its sound was heard, or before it (negative). */
  late(time: number): void;
  /** This device decodes slower than pictures come. */
  slow(): void;
}

const CODECS = { vp8: "vp8", vp9: "vp09.00.40.08", av1: "av01.0.08M.08" } as const;
/** Milliseconds before its time at which a picture is decoded. */
const LEAD = 60;
/** Pictures in the decoder at once: enough to keep it busy. */
const DECODING = 3;
/** Without sound a picture is held back for so much of its track's unevenness, and at most so long. */
const PERCENT = 95;
const MOST = 200;
/** A sound further away than this is no clock for pictures. */
const FAR = 1500;
/** Milliseconds that timers may be early: a screen shows nothing finer. */
const EARLY = 3;
/** Milliseconds from decoder to picture, evened out, that are too many, and pictures until that is judged. */
const SLOW = 150;
const JUDGED = 8;
/** Milliseconds that a picture has waited past its time when decoding it has no use any more. */
const HOPELESS = 500;
const GOOD = 100;

export class Pictures {
  readonly #codec: Codec;
  readonly #events: PictureEvents;
  readonly #gate = new Gate();
  readonly #spread = new Spread();
  #waiting: Came[] = [];
  #bytes = 0;
  #ready: VideoFrame[] = [];
  /** When each picture went into the decoder, by its timestamp. */
  #begun = new Map<number, number>();
  #decoder: VideoDecoder | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #good = 0;
  #cost = 0;
  #costs = 0;

  constructor(codec: Codec, events: PictureEvents) {
    this.#codec = codec;
    this.#events = events;
  }

  /** Only key frames are decoded: this device is too slow for all. */
  set keysOnly(on: boolean) {
    if (on === this.#gate.keysOnly) return;
    this.#gate.keysOnly = on;
    this.#cost = this.#costs = 0;
  }

  frame(frame: Came): void {
    if (this.#failures >= MOST_FAILURES) return;
    this.#spread.add(frame.came, frame.timestamp / 1000);
    if (!this.#gate.pass(frame.number, frame.keyframe)) return;
    const size = pixels(this.#codec, frame.bytes);
    if (size === null || size > LARGEST_PICTURE || (frame.keyframe && size === 0)) return this.#fail();
    this.#waiting.push(frame);
    this.#bytes += frame.bytes.length;
    if (this.#waiting.length > WAITING_PICTURES || this.#bytes > WAITING_BYTES) this.#skip();
    this.#go();
  }

  /** On to the newest key frame that waits, or to the next that comes. */
  #skip(): void {
    const newest = this.#waiting.findLastIndex(({ keyframe }) => keyframe);
    // The newest key frame is where it is already.
    if (newest <= 0) this.#gate.close();
    this.#waiting = newest > 0 ? this.#waiting.slice(newest) : [];
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** When a picture is to be shown, in milliseconds of this device's clock. */
  #due(timestamp: number, now: number): number {
    const heard = this.#events.heard();
    if (heard !== null) {
      const left = (timestamp - heard) / 1000;
      if (Math.abs(left) < FAR) return now + left;
    }
    const due = timestamp / 1000 + this.#spread.base + Math.min(MOST, this.#spread.within(PERCENT));
    return Math.abs(due - now) < FAR ? due : now;
  }

  #go(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#decodeSome(now);
    this.#show(now);
    const times: number[] = [];
    const [ready] = this.#ready;
    if (ready) times.push(this.#due(ready.timestamp, now));
    const [waiting] = this.#waiting;
    // A full decoder calls when it has room again.
    if (waiting && this.#room()) times.push(this.#due(waiting.timestamp, now) - LEAD);
    if (times.length > 0) this.#timer = setTimeout(() => this.#go(), Math.max(1, Math.min(...times) - now));
  }

  #room(): boolean {
    return (this.#decoder?.decodeQueueSize ?? 0) < DECODING && this.#ready.length < READY_PICTURES;
  }

  #decodeSome(now: number): void {
    let [next] = this.#waiting;
    if (!next) return;
    if (now - Math.max(next.came, this.#due(next.timestamp, now)) > HOPELESS) {
      this.#events.slow();
      this.#skip();
      [next] = this.#waiting;
    }
    while (next && this.#room() && this.#due(next.timestamp, now) - LEAD <= now) {
      this.#waiting.shift();
      this.#bytes -= next.bytes.length;
      if (!this.#decode(next, now)) return;
      [next] = this.#waiting;
    }
  }

  #decode({ timestamp, keyframe, bytes }: Came, now: number): boolean {
    try {
      this.#decoder ??= this.#made();
      if (this.#begun.size < 2 * WAITING_PICTURES) this.#begun.set(timestamp, now);
      this.#decoder.decode(new EncodedVideoChunk({ type: keyframe ? "key" : "delta", timestamp, data: bytes }));
      return true;
    } catch {
      this.#fail();
      return false;
    }
  }

  #made(): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (picture) => {
        if (decoder === this.#decoder) this.#decoded(picture);
        else picture.close();
      },
      error: ({ name }) => {
        if (decoder !== this.#decoder) return;
        // A codec that is not there does not come.
        if (name === "NotSupportedError") this.#failures = MOST_FAILURES - 1;
        this.#fail();
      },
    });
    decoder.addEventListener("dequeue", () => {
      if (decoder === this.#decoder) this.#go();
    });
    decoder.configure({ codec: CODECS[this.#codec], optimizeForLatency: true });
    return decoder;
  }

  #decoded(picture: VideoFrame): void {
    const now = performance.now();
    const { timestamp } = picture;
    const begun = this.#begun.get(timestamp);
    for (const earlier of this.#begun.keys()) if (earlier <= timestamp) this.#begun.delete(earlier);
    if (picture.codedWidth * picture.codedHeight > LARGEST_PICTURE) {
      picture.close();
      // It got past `pixels`, and will not another time.
      this.#failures = MOST_FAILURES - 1;
      return this.#fail();
    }
    if (++this.#good >= GOOD) this.#failures = 0;
    if (begun !== undefined) this.#judge(now - begun);
    const heard = this.#events.heard();
    if (heard !== null && Math.abs(heard - timestamp) < FAR * 1000) this.#events.late((heard - timestamp) / 1000);
    this.#ready.push(picture);
    this.#go();
  }

  #judge(cost: number): void {
    this.#cost += (cost - this.#cost) * (this.#costs < JUDGED ? 1 / ++this.#costs : 0.1);
    if (this.#costs < JUDGED || this.#cost < SLOW) return;
    this.#costs = 0;
    this.#events.slow();
  }

  /** The newest whose time has come; older ones have no use any more. */
  #show(now: number): void {
    let picture: VideoFrame | undefined;
    while (this.#ready[0] && this.#due(this.#ready[0].timestamp, now) <= now + EARLY) {
      picture?.close();
      picture = this.#ready.shift();
    }
    // More than may wait: their clock is wrong.
    while (this.#ready.length > READY_PICTURES) {
      picture?.close();
      picture = this.#ready.shift();
    }
    if (picture) this.#events.picture(picture);
  }

  #fail(): void {
    this.#drop();
    this.#good = 0;
    if (++this.#failures !== MOST_FAILURES) return;
    this.close();
    this.#events.failed();
  }

  #drop(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder && decoder.state !== "closed") decoder.close();
    for (const picture of this.#ready) picture.close();
    this.#ready = [];
    this.#waiting = [];
    this.#bytes = 0;
    this.#begun.clear();
    this.#gate.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#drop();
  }
}
