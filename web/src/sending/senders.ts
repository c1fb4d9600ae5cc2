// Encoders of what this participant sends. A stand-in: the camera alone, in two sizes.
import type { Announced, Sending, SendingEvents, Sources } from "../meeting/media.ts";
import { CAMERA, CAMERA_SMALL } from "../meeting/media.ts";

const SIZES = [
  { track: CAMERA, width: 640, height: 360, bitrate: 500_000 },
  { track: CAMERA_SMALL, width: 320, height: 180, bitrate: 150_000 },
];
const KEYFRAME_EVERY = 48;

export class Senders implements Sending {
  #events: SendingEvents;
  #camera: ReadableStreamDefaultReader<VideoFrame> | null = null;
  #encoders: VideoEncoder[] = [];
  #allowed = false;
  #count = 0;

  constructor(events: SendingEvents) {
    this.#events = events;
  }

  use({ camera }: Sources): void {
    if (camera === undefined || camera instanceof MessagePort) return;
    this.#stop();
    const tracks: Announced[] = SIZES.map(({ track, width, height }) => ({ codec: "vp8", track, width, height }));
    this.#events.tracks(camera ? tracks : []);
    if (!camera) return;
    this.#encoders = SIZES.map(({ track, width, height, bitrate }) => {
      const encoder = new VideoEncoder({
        output: (chunk) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          const { timestamp, type } = chunk;
          this.#events.frame({ track, timestamp, keyframe: type === "key", bytes });
        },
        error: () => undefined,
      });
      encoder.configure({ codec: "vp8", width, height, bitrate, latencyMode: "realtime" });
      return encoder;
    });
    void this.#read((this.#camera = camera.getReader()));
  }

  async #read(camera: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    for (;;) {
      const { value, done } = await camera.read();
      if (done || this.#camera !== camera) return value?.close();
      if (this.#allowed) {
        const keyFrame = this.#count++ % KEYFRAME_EVERY === 0;
        for (const encoder of this.#encoders) encoder.encode(value, { keyFrame });
      }
      value.close();
    }
  }

  allow(pictures: boolean): void {
    this.#allowed = pictures;
    this.#count = 0;
  }

  slow(_track: number): void {}

  keyframe(_track: number): void {
    this.#count = 0;
  }

  #stop(): void {
    this.#camera?.cancel().catch(() => undefined);
    this.#camera = null;
    for (const encoder of this.#encoders.splice(0)) encoder.close();
  }

  close(): void {
    this.#stop();
  }
}
