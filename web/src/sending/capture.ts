// What the page's devices give to the worker. A stand-in: the camera alone, where the browser has tracks as
// streams.
import type { Sources } from "../meeting/media.ts";
import type { Local, Stop } from "../meeting/model.ts";

declare const MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<VideoFrame> };

type Give = (sources: Sources, transfer: Transferable[]) => void;

export class Capture {
  #stop: Stop = () => undefined;
  #track: MediaStreamTrack | null = null;

  start(local: Local, give: Give): void {
    const follow = () => {
      const track = "MediaStreamTrackProcessor" in globalThis ? local.picture() : null;
      if (track === this.#track) return;
      this.#track = track;
      if (!track) return give({ camera: null }, []);
      const { readable } = new MediaStreamTrackProcessor({ track });
      give({ camera: readable }, [readable]);
    };
    this.#stop = local.subscribe(follow);
    follow();
  }

  stop(): void {
    this.#stop();
  }
}
