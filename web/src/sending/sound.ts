// One track of sound: blocks of PCM in, packets of Opus out, all of one size and one every 20 ms.
import type { SendingEvents } from "../meeting/media.ts";
import { type Clock, Mapping } from "./clock.ts";
import { config, empty, packetSize, padded, type SoundKind } from "./opus.ts";
import { BLOCK, Timeline } from "./timeline.ts";

const SAMPLES = 960;
/** Some 12 blocks, one of which came without delay; short, so that a device that stalled is followed soon. */
const WINDOW = 250_000;
/** What a tick may be late, in microseconds: later, blocks may be waiting behind it. */
const LATE = 40_000;
/** An encoder that fails is made anew so often, each time it has not failed for `FORGIVEN` microseconds. */
const TRIES = 3;
const FORGIVEN = 30_000_000;

export interface SoundEvents extends Pick<SendingEvents, "frame"> {
  failed(): void;
}

export class SoundTrack {
  readonly #track: number;
  readonly #kind: SoundKind;
  readonly #clock: Clock;
  readonly #events: SoundEvents;
  #port: MessagePort | null = null;
  #mapping = new Mapping(WINDOW);
  #blocks = 0;
  #timeline: Timeline;
  #ticked: number;
  #encoder: AudioEncoder | null = null;
  /** By the encoder's own count: it need not give timestamps back as it was given them. */
  #encoded = 0;
  #under: number[] = [];
  #empty: Uint8Array | null = null;
  #failures = 0;
  #failedAt = -Infinity;
  #closed = false;

  constructor(track: number, kind: SoundKind, clock: Clock, events: SoundEvents) {
    this.#track = track;
    this.#kind = kind;
    this.#clock = clock;
    this.#events = events;
    this.#ticked = clock();
    this.#timeline = new Timeline(this.#ticked);
  }

  /** From now on its sound is from there. Packets go on without a gap. */
  use(port: MessagePort): void {
    this.#port?.close();
    this.#port = port;
    this.#mapping = new Mapping(WINDOW);
    this.#blocks = 0;
    port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) => this.#block(data);
  }

  tick(): void {
    const now = this.#clock();
    const late = now - this.#ticked > LATE;
    this.#ticked = now;
    if (!late) this.#silence(this.#timeline.fill(now));
  }

  close(): void {
    this.#closed = true;
    this.#port?.close();
    if (this.#encoder?.state !== "closed") this.#encoder?.close();
  }

  #block(block: Float32Array<ArrayBuffer>): void {
    if (this.#closed || block.length !== SAMPLES * this.#kind.channels) return;
    // It comes when its last sample is there, and begins with its first.
    const stamp = this.#blocks++ * BLOCK;
    const turn = this.#timeline.block(this.#mapping.at(stamp, this.#clock()) - BLOCK);
    if (!turn) return;
    this.#silence(turn.silence);
    this.#encode(block, turn.at);
  }

  #silence(times: readonly number[]): void {
    for (const at of times) this.#encode(new Float32Array(SAMPLES * this.#kind.channels), at);
  }

  #encode(data: Float32Array<ArrayBuffer>, at: number): void {
    if (this.#closed) return;
    this.#under.push(at);
    try {
      this.#encoder ??= this.#made();
      const sound = new AudioData({
        format: "f32-planar",
        sampleRate: 48_000,
        numberOfFrames: SAMPLES,
        numberOfChannels: this.#kind.channels,
        timestamp: this.#encoded++ * BLOCK,
        data,
      });
      this.#encoder.encode(sound);
      sound.close();
    } catch {
      this.#fault();
    }
  }

  #made(): AudioEncoder {
    const encoder: AudioEncoder = new AudioEncoder({
      output: (chunk) => {
        if (encoder !== this.#encoder) return;
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const packet = padded(bytes, packetSize(this.#kind));
        // An encoder that holds to no size would tell what is said.
        if (!packet) return this.#fault();
        this.#empty ??= padded(empty(packet), packetSize(this.#kind));
        this.#send(packet);
      },
      error: () => {
        if (encoder === this.#encoder) this.#fault();
      },
    });
    encoder.configure(config(this.#kind));
    this.#encoded = 0;
    return encoder;
  }

  #send(bytes: Uint8Array): void {
    const timestamp = this.#under.shift();
    if (timestamp === undefined) return;
    this.#events.frame({ track: this.#track, timestamp, keyframe: true, duration: BLOCK, bytes });
  }

  #fault(): void {
    if (this.#encoder?.state !== "closed") this.#encoder?.close();
    this.#encoder = null;
    // What it did not give is sent without sound: a gap could be seen.
    while (this.#under.length > 0 && this.#empty) this.#send(this.#empty);
    this.#under = [];
    const now = this.#clock();
    this.#failures = now - this.#failedAt > FORGIVEN ? 1 : this.#failures + 1;
    this.#failedAt = now;
    if (this.#failures < TRIES || this.#closed) return;
    this.close();
    this.#events.failed();
  }
}
