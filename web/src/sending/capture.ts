// What the page's devices give to the worker. A stand-in: the camera alone, where the browser has tracks as
// streams.
import type { Sources } from "../meeting/media.ts";
import type { Local } from "../meeting/model.ts";

declare const MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<VideoFrame> };

export interface Captured {
  readonly sources: Sources;
  readonly transfer: Transferable[];
  close(): void;
}

export function capture(local: Local): Captured {
  const track = "MediaStreamTrackProcessor" in globalThis ? (local.picture()?.clone() ?? null) : null;
  const camera = track ? new MediaStreamTrackProcessor({ track }).readable : null;
  return {
    sources: { sound: null, camera, screen: null, screenSound: null },
    transfer: camera ? [camera] : [],
    close: () => track?.stop(),
  };
}
