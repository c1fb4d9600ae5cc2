// The page's half of what is sent: of each track that this device captures a port or a stream for the
// worker, made when it comes and given once.
import type { PictureSource, Sources } from "../meeting/media.ts";
import type { Local, Stop } from "../meeting/model.ts";
import { Frames } from "./frames.ts";
import { type Heard, Hearing } from "./hearing.ts";

type Give = (sources: Sources, transfer: Transferable[]) => void;

/** Of Chromium; nothing else has it in a page. */
declare const MediaStreamTrackProcessor: (new (init: Init) => { readonly readable: ReadableStream<VideoFrame> }) | undefined;
type Init = { track: MediaStreamTrack; maxBufferSize: number };

interface Kept {
  readonly track: MediaStreamTrack;
  readonly stop: Stop;
}

export class Capture {
  #local: Local | null = null;
  #give: Give = () => undefined;
  #failed: () => void = () => undefined;
  #unsubscribe: Stop = () => undefined;
  #hearing = new Hearing();
  #kept = new Map<keyof Sources, Kept>();

  /** `failed`: this browser does not let sound be taken. */
  start(local: Local, give: Give, failed: () => void): void {
    this.stop();
    this.#local = local;
    this.#give = give;
    this.#failed = failed;
    this.#unsubscribe = local.subscribe(() => this.#follow());
    this.#follow();
  }

  /** Everything is over, and nothing more is given. */
  stop(): void {
    this.#unsubscribe();
    this.#local = null;
    this.#follow();
    this.#hearing.close();
    this.#unsubscribe = () => undefined;
    this.#give = () => undefined;
  }

  #follow(): void {
    const screen = this.#local?.screen() ?? null;
    this.#picture("camera", this.#local?.picture() ?? null);
    this.#picture("screen", screen?.picture ?? null);
    this.#sound("sound", this.#local?.sound() ?? null, 1);
    this.#sound("screenSound", screen?.sound ?? null, 2);
  }

  /** Says whether there is something new to be given in the place of what was there. */
  #replaces(name: keyof Sources, track: MediaStreamTrack | null): track is MediaStreamTrack {
    const kept = this.#kept.get(name);
    if (kept?.track === track || (!kept && !track)) return false;
    kept?.stop();
    this.#kept.delete(name);
    if (!track) this.#give({ [name]: null }, []);
    return track !== null;
  }

  #picture(name: "camera" | "screen", track: MediaStreamTrack | null): void {
    if (!this.#replaces(name, track)) return;
    const { source, stop } = pictures(track);
    this.#kept.set(name, { track, stop });
    this.#give({ [name]: source }, [source]);
  }

  #sound(name: "sound" | "screenSound", track: MediaStreamTrack | null, channels: 1 | 2): void {
    if (!this.#replaces(name, track)) return;
    let heard: Heard | null = null;
    const kept: Kept = { track, stop: () => heard?.stop() };
    this.#kept.set(name, kept);
    this.#hearing.hear(track, channels).then(
      (made) => {
        heard = made;
        // The track may be another one by now.
        if (this.#kept.get(name) !== kept) heard.stop();
        else this.#give({ [name]: heard.port }, [heard.port]);
      },
      () => {
        if (this.#kept.get(name) !== kept) return;
        this.#give({ [name]: null }, []);
        this.#failed();
      },
    );
  }
}

function pictures(track: MediaStreamTrack): { source: PictureSource; stop: Stop } {
  if (typeof MediaStreamTrackProcessor !== "undefined") {
    // One picture waits at most; a newer one takes its place. The worker ends the stream.
    const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 });
    return { source: readable, stop: () => undefined };
  }
  const frames = new Frames(track);
  return { source: frames.port, stop: () => frames.stop() };
}
