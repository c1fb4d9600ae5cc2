// A camera or a screen, and the tracks that are made of it.
import type { Announced, PictureSource } from "../meeting/media.ts";
import type { Clock } from "./clock.ts";
import { Pictures } from "./pictures.ts";
import { type Most, shape } from "./sizes.ts";
import { type Codec, VideoTrack, type VideoEvents } from "./video.ts";

/** A screen that does not change gives no pictures: after so long the last is sent again. */
const AGAIN = 1_000_000;

export interface ViewEvents extends Omit<VideoEvents, "failed"> {
  /** What `announced` says is another thing now. Comes before pictures of it. */
  changed(): void;
  failed(track: number): void;
}

export class View {
  readonly #codec: Codec;
  readonly #screen: boolean;
  readonly #clock: Clock;
  readonly #events: ViewEvents;
  readonly #tracks: readonly VideoTrack[];
  #bounds: readonly (Most | null)[] = [];
  #pictures: Pictures | null = null;
  #size: { readonly width: number; readonly height: number } | null = null;
  #allowed = true;
  /** Of a screen only: who keeps pictures of a camera makes it wait for room. */
  #kept: VideoFrame | null = null;
  #last = 0;

  constructor(tracks: readonly number[], codec: Codec, screen: boolean, clock: Clock, events: ViewEvents) {
    this.#codec = codec;
    this.#screen = screen;
    this.#clock = clock;
    this.#events = events;
    this.#tracks = tracks.map(
      (track) => new VideoTrack(track, codec, screen, { ...events, failed: () => events.failed(track) }),
    );
  }

  get on(): boolean {
    return this.#pictures !== null;
  }

  /** What is not on, or of unknown size until its first picture comes, is not in it. */
  announced(): readonly Announced[] {
    const codec = this.#codec;
    return this.#tracks.flatMap(({ track, shape }) =>
      shape
        ? [{ codec, track, width: shape.width, height: shape.height, ...(this.#screen ? { screen: true } : {}) }]
        : [],
    );
  }

  /** From now on its pictures are from there. What follows begins with a key frame. */
  use(source: PictureSource | null): void {
    this.#pictures?.close();
    this.#forget();
    if (source) {
      this.#pictures = new Pictures(source, this.#clock, (picture) => this.#take(picture));
      for (const track of this.#tracks) track.keyframe();
    } else {
      this.#pictures = null;
      this.#size = null;
    }
    this.#shape();
  }

  /** What each of its tracks may be; `null`: it is left out. */
  bound(bounds: readonly (Most | null)[]): void {
    this.#bounds = bounds;
    this.#shape();
  }

  allow(on: boolean): void {
    this.#allowed = on;
    if (!on) for (const track of this.#tracks) track.rest();
  }

  keyframe(track: number): void {
    this.#tracks.find((one) => one.track === track)?.keyframe();
  }

  tick(): void {
    this.#pictures?.tick();
    const now = this.#clock();
    if (!this.#kept || (now - this.#last < AGAIN && !this.#tracks.some((track) => track.waited(now)))) return;
    const again = new VideoFrame(this.#kept, { timestamp: now });
    this.#encode(again);
    again.close();
  }

  close(): void {
    this.#pictures?.close();
    this.#forget();
    for (const track of this.#tracks) track.rest();
  }

  #take(picture: VideoFrame): void {
    const { displayWidth: width, displayHeight: height } = picture;
    if (this.#size?.width !== width || this.#size.height !== height) {
      this.#size = { width, height };
      this.#shape();
    }
    this.#encode(picture);
    if (!this.#screen) return;
    this.#forget();
    this.#kept = picture.clone();
  }

  #encode(picture: VideoFrame): void {
    this.#last = picture.timestamp;
    if (this.#allowed) for (const track of this.#tracks) track.encode(picture);
  }

  #shape(): void {
    const size = this.#size;
    this.#tracks.forEach((track, at) => {
      const most = this.#bounds[at];
      track.shape = size && most ? shape(size.width, size.height, most) : null;
    });
    this.#events.changed();
  }

  #forget(): void {
    this.#kept?.close();
    this.#kept = null;
  }
}
