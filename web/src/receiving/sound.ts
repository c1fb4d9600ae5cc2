// One sound track: frames are put in order, decoded, and handed to the player.
import { LONGEST_PACKET, MOST_FAILURES, PER_MS, RATE } from "./limits.ts";
import { Order } from "./order.ts";
import { Speaking } from "./speaking.ts";

/** An opened frame, and when it came, in milliseconds of this device's clock. */
export interface Came {
  readonly number: number;
  readonly timestamp: number;
  readonly keyframe: boolean;
  readonly bytes: Uint8Array;
  readonly came: number;
}

export interface SoundEvents {
  decoded(number: number, timestamp: number, held: number, planes: Float32Array[]): void;
  speaking(on: boolean): void;
  failed(): void;
  /** The sender's timestamp that is played now. */
  played(): number | null;
}

/** Milliseconds before its turn at which a missing frame is given up: what decoding and the way take. */
const BEFORE = 15;
/** While nothing plays yet, and at most. */
const UNKNOWN = 20;
const LONGEST = 300;
/** Frames that a decoder may have at once. Where it has had the first for so many milliseconds, it hangs; else the
 *  frames came in a burst, as after a tab was held still. */
const PENDING = 64;
const HANGS = 2000;
/** Good ones in a row that make earlier failures forgotten. */
const GOOD = 50;
/** Microseconds: only the order counts for the decoder, so it is given even times. */
const EVEN = 20_000;

export class Sound {
  readonly #events: SoundEvents;
  readonly #channels: number;
  readonly #speaking = new Speaking();
  readonly #order = new Order<Came>();
  #decoder: AudioDecoder | null = null;
  #pending: { readonly frame: Came; readonly since: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #good = 0;
  #count = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(channels: number, events: SoundEvents) {
    this.#channels = channels;
    this.#events = events;
  }

  frame(frame: Came): void {
    if (this.#failures >= MOST_FAILURES) return;
    for (const ready of this.#order.put(frame).ready) this.#decode(ready);
    this.#wait();
  }

  /** Until the turn of what is missing has come, as far as that is known. */
  #wait(): void {
    clearTimeout(this.#timer);
    const waits = this.#order.waits;
    if (!waits) return;
    const { first, missing } = waits;
    const now = performance.now();
    const played = this.#events.played();
    const waited = now - first.came;
    let left = UNKNOWN - waited;
    if (played !== null) left = (first.timestamp - missing * EVEN - played) / 1000 - BEFORE;
    this.#timer = setTimeout(() => {
      for (const ready of this.#order.release()) this.#decode(ready);
      this.#wait();
    }, Math.max(0, Math.min(left, LONGEST - waited)));
  }

  #decode(frame: Came): void {
    if (this.#failures >= MOST_FAILURES) return;
    try {
      this.#decoder ??= this.#made();
      const now = performance.now();
      const [oldest] = this.#pending;
      if (oldest && this.#pending.length >= PENDING) {
        if (now - oldest.since < HANGS) return;
        throw new DOMException("hangs", "OperationError");
      }
      this.#pending.push({ frame, since: now });
      const timestamp = this.#count++ * EVEN;
      this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, duration: EVEN, data: frame.bytes }));
    } catch {
      this.#fail();
    }
  }

  #made(): AudioDecoder {
    const decoder: AudioDecoder = new AudioDecoder({
      output: (data) => {
        if (decoder === this.#decoder) this.#decoded(data);
        data.close();
      },
      error: ({ name }) => {
        if (decoder !== this.#decoder) return;
        // A codec that is not there does not come.
        if (name === "NotSupportedError") this.#failures = MOST_FAILURES - 1;
        this.#fail();
      },
    });
    // What a header would say (`setup`) is pre-skip and gain, which a live stream has no use for.
    decoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: this.#channels });
    return decoder;
  }

  #fail(): void {
    this.#drop();
    this.#good = 0;
    if (++this.#failures === MOST_FAILURES) {
      this.close();
      this.#events.failed();
    }
  }

  #drop(): void {
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#pending = [];
    if (decoder && decoder.state !== "closed") decoder.close();
  }

  #decoded(data: AudioData): void {
    const pending = this.#pending.shift();
    const length = data.numberOfFrames;
    if (!pending || length === 0 || length > LONGEST_PACKET || data.sampleRate !== RATE) return;
    const planes: Float32Array[] = [];
    for (let planeIndex = 0; planeIndex < Math.min(this.#channels, data.numberOfChannels); planeIndex++) {
      const plane = new Float32Array(length);
      data.copyTo(plane, { planeIndex, format: "f32-planar" });
      planes.push(plane);
    }
    const [first] = planes;
    if (!first) return;
    // What is mono at one packet and stereo at another stays what it was announced as.
    if (planes.length < this.#channels) planes.push(first.slice());
    if (++this.#good >= GOOD) this.#failures = 0;
    if (this.#speaking.take(first, length / PER_MS)) this.#events.speaking(this.#speaking.on);
    this.#silenceEnds();
    const { frame, since } = pending;
    this.#events.decoded(frame.number, frame.timestamp, since - frame.came, planes);
  }

  /** Who sends nothing any more does not speak either. */
  #silenceEnds(): void {
    clearTimeout(this.#quiet);
    if (!this.#speaking.on) return;
    this.#quiet = setTimeout(() => this.#hush(), 700);
  }

  #hush(): void {
    clearTimeout(this.#quiet);
    if (!this.#speaking.on) return;
    this.#speaking.on = false;
    this.#events.speaking(false);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#hush();
    this.#drop();
  }
}
