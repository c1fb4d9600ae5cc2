// A page that sends to nobody: real or made-up devices, `Capture`, and a worker with `Senders`.
import type { Local } from "../../src/meeting/model.ts";
import { LocalMedia } from "../../src/media/local.ts";
import { Capture } from "../../src/sending/capture.ts";

const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
let asked: Promise<unknown> = Promise.resolve();
const ask = (name: string, ...given: unknown[]) =>
  (asked = asked.then(
    () =>
      new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage({ ask: name, given });
      }),
  ));

/** What was given and transferred, by name. */
const given: string[] = [];
const capture = new Capture();
const start = (local: Local) =>
  capture.start(local, (sources, transfer) => {
    for (const [name, source] of Object.entries(sources)) given.push(`${name} ${source?.constructor.name ?? "over"}`);
    worker.postMessage({ sources }, transfer);
  }, () => given.push("failed"));

/** Tracks of one's own, in the place of devices. */
class Made {
  tracks: { sound: MediaStreamTrack | null; picture: MediaStreamTrack | null; screen: ReturnType<Local["screen"]> } = {
    sound: null,
    picture: null,
    screen: null,
  };
  #listeners = new Set<() => void>();
  subscribe(changed: () => void) {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }
  set(change: Partial<Made["tracks"]>) {
    Object.assign(this.tracks, change);
    for (const listener of this.#listeners) listener();
  }
  sound = () => this.tracks.sound;
  picture = () => this.tracks.picture;
  screen = () => this.tracks.screen;
}

/** A canvas; `paint` is called some 30 times a second, or once where it stands still. */
function canvas(width: number, height: number, paint: (context: CanvasRenderingContext2D, at: number) => void, still = false) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d")!;
  const track = canvas.captureStream(30).getVideoTracks()[0]!;
  let frame = 0;
  const draw = () => paint(context, frame++);
  draw();
  const timer = setInterval(draw, still ? 100 : 33);
  if (still) setTimeout(() => clearInterval(timer), 500);
  return { canvas, track };
}

/** A picture that is white, and a tone that is heard, for 200 ms of each second. */
async function flashes(width = 640, height = 360) {
  const context = new AudioContext({ sampleRate: 48_000 });
  await context.resume();
  const tone = new OscillatorNode(context, { frequency: 1000 });
  const gain = new GainNode(context, { gain: 0 });
  const out = context.createMediaStreamDestination();
  tone.connect(gain).connect(out);
  tone.start();
  let was = false;
  const { track } = canvas(width, height, (paint) => {
    const on = performance.now() % 1000 < 200;
    if (on !== was) gain.gain.value = on ? 0.5 : 0;
    was = on;
    paint.fillStyle = on ? "#fff" : "#000";
    paint.fillRect(0, 0, width, height);
  });
  return { sound: out.stream.getAudioTracks()[0]!, picture: track, context };
}

Object.assign(globalThis, { ask, given, capture, start, Made, canvas, flashes, LocalMedia, worker });
