// One track of pictures: frames in, encoded frames out, at its own size, pace and bits. The encoder makes
// the size: in Chromium and Firefox that costs far less than drawing on a canvas (docs/web.md).
import type { SendingEvents } from "../meeting/media.ts";
import type { Shape } from "./sizes.ts";

export type Codec = "vp8" | "vp9" | "av1";

const CODECS: { readonly [codec in Codec]: string } = {
  vp8: "vp8",
  // Levels that hold 1080p.
  vp9: "vp09.00.40.08",
  av1: "av01.0.08M.08",
};

/** A group is a key frame and what depends on it: microseconds from one to the next, whatever is seen. */
const CADENCE = 2_000_000;
/** Key frames for those who ask are at least so far apart. */
const ASKED = 500_000;
/** Frames that an encoder may have before it; what comes then is dropped. */
const QUEUE = 2;
/** Of so many frames, dropping so many says that the device is too slow. */
const LOOKED_AT = 24;
const TOO_MANY = 8;
/** So many seconds' worth of bits may be made at once; more, and frames are left out until they are paid. */
const BURST = 1;
/** An encoder that fails is made anew so often, each time it has not failed for `FORGIVEN` microseconds. */
const TRIES = 3;
const FORGIVEN = 30_000_000;

export interface VideoEvents extends Pick<SendingEvents, "frame"> {
  /** The device does not encode as fast as pictures come. */
  busy(): void;
  failed(): void;
}

export class VideoTrack {
  readonly track: number;
  readonly #codec: Codec;
  readonly #screen: boolean;
  readonly #events: VideoEvents;
  #encoder: VideoEncoder | null = null;
  #shape: Shape | null = null;
  #configured = "";
  #failed = false;
  #failures = 0;
  #failedAt = -Infinity;
  /** Timestamps of the last frame, of the next that is due, and of the last key frame. */
  #last = -Infinity;
  #due = -Infinity;
  #key = -Infinity;
  /** A key frame is asked for; or nothing could be made of any other. */
  #wanted = false;
  #begins = true;
  /** Bits that were made and not paid yet, at the time of the last frame that came. */
  #owed = 0;
  #paid = 0;
  #seen = 0;
  #dropped = 0;

  constructor(track: number, codec: Codec, screen: boolean, events: VideoEvents) {
    this.track = track;
    this.#codec = codec;
    this.#screen = screen;
    this.#events = events;
  }

  get shape(): Shape | null {
    return this.#failed ? null : this.#shape;
  }

  /** From the next frame on; `null`: nothing is sent. */
  set shape(shape: Shape | null) {
    const { width, height } = this.#shape ?? {};
    if (shape?.width !== width || shape?.height !== height) this.#begins = true;
    this.#shape = shape;
    if (!shape) this.rest();
  }

  /** A key frame with the next picture, or as soon as one is due. */
  keyframe(): void {
    this.#wanted = true;
  }

  /** Somebody waits for a key frame, and may have one at this time. */
  waited(now: number): boolean {
    return this.#wanted && this.shape !== null && now - this.#key >= ASKED;
  }

  encode(picture: VideoFrame): void {
    const shape = this.shape;
    const at = picture.timestamp;
    const wanted = this.#begins || (this.#wanted && at - this.#key >= ASKED);
    if (!shape || at <= this.#last) return;
    if (!wanted && !(this.#affords(at, shape.bitrate) && this.#paced(at, shape.fps))) return;
    this.#seen++;
    // A bound on what waits: an old picture is worth less than a new one.
    if (this.#encoder && this.#encoder.encodeQueueSize >= QUEUE) this.#dropped++;
    else this.#give(picture, shape, wanted || at - this.#key >= CADENCE);
    if (this.#seen >= LOOKED_AT) {
      if (this.#dropped >= TOO_MANY) this.#events.busy();
      this.#seen = 0;
      this.#dropped = 0;
    }
  }

  /** Lets the encoder go. What comes later begins with a key frame. */
  rest(): void {
    if (this.#encoder?.state !== "closed") this.#encoder?.close();
    this.#encoder = null;
    this.#configured = "";
    this.#begins = true;
  }

  /** Encoders make more bits than they are told where everything moves at once; Firefox's twice as many. */
  #affords(at: number, bitrate: number): boolean {
    this.#owed = Math.max(0, this.#owed - (bitrate * (at - this.#paid)) / 1_000_000);
    this.#paid = at;
    return this.#owed <= bitrate * BURST;
  }

  /** As many a second as there are to be, whatever the camera's own pace. */
  #paced(at: number, fps: number): boolean {
    const step = 1_000_000 / fps;
    if (at < this.#due - step / 10) return false;
    this.#due = Math.max(this.#due + step, at);
    return true;
  }

  #give(picture: VideoFrame, shape: Shape, key: boolean): void {
    try {
      this.#encoder ??= this.#made();
      const config = this.#config(shape);
      const configured = JSON.stringify(config);
      if (configured !== this.#configured) this.#encoder.configure(config);
      this.#configured = configured;
      this.#encoder.encode(picture, { keyFrame: key });
      this.#last = picture.timestamp;
      if (!key) return;
      this.#key = picture.timestamp;
      this.#wanted = false;
      this.#begins = false;
    } catch {
      this.#fault(picture.timestamp);
    }
  }

  #made(): VideoEncoder {
    const encoder: VideoEncoder = new VideoEncoder({
      output: (chunk) => {
        if (encoder !== this.#encoder) return;
        this.#owed += chunk.byteLength * 8;
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const { track } = this;
        this.#events.frame({ track, timestamp: chunk.timestamp, keyframe: chunk.type === "key", bytes });
      },
      error: () => {
        if (encoder === this.#encoder) this.#fault(this.#last);
      },
    });
    return encoder;
  }

  #config({ width, height, bitrate, fps }: Shape): VideoEncoderConfig {
    return {
      codec: CODECS[this.#codec],
      width,
      height,
      bitrate,
      framerate: fps,
      bitrateMode: "constant",
      latencyMode: "realtime",
      contentHint: this.#screen ? "detail" : "motion",
      // Encoders in hardware differ in what they make of sizes and bits.
      hardwareAcceleration: "prefer-software",
    };
  }

  #fault(at: number): void {
    this.rest();
    this.#failures = at - this.#failedAt > FORGIVEN ? 1 : this.#failures + 1;
    this.#failedAt = at;
    if (this.#failures < TRIES || this.#failed) return;
    this.#failed = true;
    this.#events.failed();
  }
}
