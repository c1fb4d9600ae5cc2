// Pictures from the page, one at a time: each is looked at when it comes and closed right after. There is
// no queue: what comes too fast never leaves the page.
import type { PictureSource } from "../meeting/media.ts";
import { type Clock, Mapping } from "./clock.ts";

/** Long enough that one picture of it came without delay. */
const WINDOW = 2_000_000;

export class Pictures {
  #reader: ReadableStreamDefaultReader<VideoFrame> | null = null;
  #port: MessagePort | null = null;
  #mapping = new Mapping(WINDOW);
  #clock: Clock;
  #take: (picture: VideoFrame) => void;
  #closed = false;

  /** `take` is given each picture with its time by our clock, and keeps nothing of it. */
  constructor(source: PictureSource, clock: Clock, take: (picture: VideoFrame) => void) {
    this.#clock = clock;
    this.#take = take;
    if (source instanceof ReadableStream) {
      this.#reader = source.getReader();
      void this.#read(this.#reader).catch(() => undefined);
    } else {
      this.#port = source;
      source.onmessage = ({ data }: MessageEvent<VideoFrame>) => {
        this.#give(data);
        source.postMessage("taken");
      };
    }
  }

  /** Some 25 times a second: a page that is behind another one has no such clock of its own. */
  tick(): void {
    this.#port?.postMessage("tick");
  }

  close(): void {
    this.#closed = true;
    this.#reader?.cancel().catch(() => undefined);
    this.#port?.close();
  }

  async #read(reader: ReadableStreamDefaultReader<VideoFrame>): Promise<void> {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#give(value);
    }
  }

  #give(picture: VideoFrame): void {
    try {
      if (this.#closed) return;
      const timestamp = this.#mapping.at(picture.timestamp, this.#clock());
      const ours = upright(picture, timestamp);
      try {
        this.#take(ours);
      } finally {
        ours.close();
      }
    } catch {
      // One that cannot be read is left out. The others go on.
    } finally {
      picture.close();
    }
  }
}

/** Phones turn the picture and not the pixels, and encoders pass that over. */
function upright(picture: VideoFrame, timestamp: number): VideoFrame {
  const { rotation, flip } = picture as { readonly rotation?: number; readonly flip?: boolean };
  if (!rotation && !flip) return new VideoFrame(picture, { timestamp });
  const canvas = new OffscreenCanvas(picture.displayWidth, picture.displayHeight);
  canvas.getContext("2d", { alpha: false, willReadFrequently: true })?.drawImage(picture, 0, 0);
  return new VideoFrame(canvas, { timestamp });
}
