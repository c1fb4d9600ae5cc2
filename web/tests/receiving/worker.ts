// The worker's side of the made-up meeting.
import type { Heard } from "../../src/meeting/media.ts";
import { Receivers } from "../../src/receiving/receivers.ts";

export interface Plan {
  /** Ids of people, and the frequency that each one sings; 0: a beep of 1 kHz and a white flash each second. */
  readonly people: readonly (readonly [number, number])[];
  readonly codec: "vp8" | "vp9" | "av1" | null;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Of sound, from 0 to 1. */
  readonly loss: number;
  /** Milliseconds on the way: at least, and more by chance; pictures besides. */
  readonly delay: number;
  readonly uneven: number;
  readonly pictureDelay: number;
}
export type Ask =
  | { readonly kind: "port"; readonly port: MessagePort }
  | { readonly kind: "start"; readonly plan: Plan }
  | { readonly kind: "ended"; readonly who: number; readonly track: number }
  | { readonly kind: "gone" | "show" | "hide"; readonly who: number }
  | { readonly kind: "lose"; readonly pictures: number }
  | { readonly kind: "garbage"; readonly who: number }
  | { readonly kind: "report" }
  | { readonly kind: "close" };
export type Told =
  | { readonly kind: "speaking"; readonly who: number; readonly on: boolean; readonly at: number }
  | { readonly kind: "undecodable"; readonly who: number; readonly track: number }
  | { readonly kind: "flash"; readonly who: number; readonly at: number; readonly due: number }
  | { readonly kind: "report"; readonly missing: number; readonly pictures: readonly (readonly [number, number])[]; readonly ages: readonly number[]; readonly wrong: number };

type Sent = Parameters<Receivers["frame"]>[2];

const RATE = 48_000;
const now = () => performance.timeOrigin + performance.now();

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function work(): void {
  const tell = (told: Told) => postMessage(told);
  const random = seeded(7);
  const begin = now();
  const counts = new Map<number, number>();
  let ages: number[] = [];
  let wrong = 0;
  let lastShown = -1;
  let receivers: Receivers | null = null;
  let plan: Plan | null = null;
  let lose = 0;
  /** What is on its way on each one's stream, and when the last of it comes. */
  const streams = new Map<number, { free: number; frames: Sent[] }>();
  const white = new Set<number>();
  const eye = new OffscreenCanvas(8, 8).getContext("2d", { willReadFrequently: true });
  if (!eye) throw new Error("no canvas");

  const picture = (who: number, _: number, frame: VideoFrame) => {
    const at = now();
    counts.set(who, (counts.get(who) ?? 0) + 1);
    ages.push(at - begin - frame.timestamp / 1000);
    // Colours are as they were painted: nothing is smeared over from a picture that was lost.
    if (plan && who === plan.people[0]?.[0]) {
      if (frame.timestamp <= lastShown) wrong++;
      lastShown = frame.timestamp;
      eye.drawImage(frame, 0, 0, 8, 8);
      const [red = 0, green = 0] = eye.getImageData(6, 6, 1, 1).data;
      const flash = green > 128;
      if (flash && !white.has(who)) tell({ kind: "flash", who, at, due: begin + frame.timestamp / 1000 });
      if (flash) white.add(who);
      else white.delete(who);
      if (!flash && (red > 60 || green > 60)) wrong++;
    }
    frame.close();
  };

  /** The network. */
  const send = (track: number, frame: Sent, sound: boolean) => {
    for (const [who] of plan?.people ?? []) {
      if (sound && random() < (plan?.loss ?? 0)) continue;
      let late = (plan?.delay ?? 0) + (plan?.uneven ?? 0) * random();
      const copy = { ...frame, bytes: frame.bytes.slice() };
      if (sound) {
        setTimeout(() => receivers?.frame(who, track, copy), late);
        continue;
      }
      // Pictures come by a stream: unevenly, but in order.
      const stream = streams.get(who) ?? { free: 0, frames: [] };
      streams.set(who, stream);
      late = Math.max(late + (plan?.pictureDelay ?? 0), stream.free - now());
      stream.free = now() + late;
      stream.frames.push(copy);
      setTimeout(() => {
        const next = stream.frames.shift();
        if (next) receivers?.frame(who, track, next);
      }, late);
    }
  };

  const sing = (frequency: number, only: number | null) => {
    let number = 0;
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const frame = { number: number++, timestamp: chunk.timestamp, keyframe: true, bytes };
        if (only === null) return send(1, frame, true);
        if (random() < (plan?.loss ?? 0)) return;
        setTimeout(() => receivers?.frame(only, 1, frame), (plan?.delay ?? 0) + (plan?.uneven ?? 0) * random());
      },
      error: () => wrong++,
    });
    encoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: 24_000 });
    let made = Math.ceil((now() - begin) / 20);
    setInterval(() => {
      for (; made * 20 + 20 <= now() - begin; made++) {
        const data = Float32Array.from({ length: 960 }, (_, i) => {
          const at = made * 960 + i;
          if (frequency > 0) return 0.2 * Math.sin((2 * Math.PI * frequency * at) / RATE);
          return at % RATE < RATE / 10 ? 0.4 * Math.sin((2 * Math.PI * 1000 * at) / RATE) : 0;
        });
        encoder.encode(new AudioData({
          format: "f32", sampleRate: RATE, numberOfChannels: 1, numberOfFrames: 960, timestamp: made * 20_000, data,
        }));
      }
    }, 5);
  };

  const paint = ({ codec, width, height, fps }: Plan) => {
    let number = 0;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    if (!context || !codec) return;
    const encoder = new VideoEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        const frame = { number: number++, timestamp: chunk.timestamp, keyframe: chunk.type === "key", bytes };
        if (lose > 0 && !frame.keyframe) lose--;
        else send(2, frame, false);
      },
      error: () => wrong++,
    });
    const codecs = { vp8: "vp8", vp9: "vp09.00.10.08", av1: "av01.0.04M.08" };
    encoder.configure({ codec: codecs[codec], width, height, framerate: fps, bitrate: 300_000, latencyMode: "realtime" });
    let made = Math.ceil(((now() - begin) * fps) / 1000);
    setInterval(() => {
      for (; (made * 1000) / fps <= now() - begin; made++) {
        const at = (made * 1000) / fps;
        context.fillStyle = at % 1000 < 100 ? "#ffffff" : "#000020";
        context.fillRect(0, 0, width, height);
        context.fillStyle = "#808080";
        context.fillRect((made * 7) % width, 0, 20, height / 4);
        const frame = new VideoFrame(context.canvas, { timestamp: Math.round(at * 1000) });
        encoder.encode(frame, { keyFrame: made % (2 * fps) === 0 });
        frame.close();
      }
    }, 5);
  };

  const asked = (ask: Ask) => {
    switch (ask.kind) {
      case "port":
        receivers = new Receivers({
          picture,
          speaking: (who, on) => tell({ kind: "speaking", who, on, at: now() }),
          undecodable: (who, track) => tell({ kind: "undecodable", who, track }),
        }, ask.port);
        break;
      case "start": {
        plan = ask.plan;
        const tracks: Heard[] = [{ track: 1, codec: "opus", channels: 1, setup: new Uint8Array(), screen: false }];
        const { codec, width, height, people } = plan;
        if (codec) tracks.push({ track: 2, codec, width, height, setup: new Uint8Array(), screen: false });
        for (const [who] of people) {
          receivers?.person(who, tracks);
          receivers?.show(who, 2, true);
        }
        const own = new Set(people.map(([, frequency]) => frequency));
        if (own.size === 1) sing(people[0]?.[1] ?? 0, null);
        else for (const [who, frequency] of people) sing(frequency, who);
        paint(plan);
        break;
      }
      case "ended":
        receivers?.ended(ask.who, ask.track);
        break;
      case "gone":
        receivers?.gone(ask.who);
        break;
      case "show":
      case "hide":
        receivers?.show(ask.who, 2, ask.kind === "show");
        break;
      case "lose":
        lose = ask.pictures;
        break;
      case "garbage": {
        // Whatever an admitted stranger may send.
        const track = (number: number, codec: Heard["codec"], width = 320, height = 180): Heard =>
          ({ track: number, codec, channels: 1, width, height, setup: new Uint8Array(9), screen: false });
        receivers?.person(ask.who, [
          track(1, "opus"), track(2, "vp8"), track(3, "vp9"), track(4, "av1"), track(5, "vp8", 1e9, 1e9), track(NaN, "vp8"),
        ]);
        for (let i = 1; i < 6; i++) receivers?.show(ask.who, i, true);
        for (let i = 0; i < 2000; i++) {
          const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256));
          if (i % 2) bytes.set([0x10, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f].slice(0, bytes.length));
          const strange = [NaN, -1, Infinity, 2 ** 60, i * 20_000, random() * 2 ** 52];
          const pick = () => strange[Math.floor(random() * strange.length)] ?? 0;
          receivers?.frame(ask.who, 1 + (i % 6), { number: i % 3 ? i : pick(), timestamp: pick(), keyframe: random() < 0.5, bytes });
        }
        break;
      }
      case "report":
        tell({ kind: "report", missing: receivers?.missing ?? 0, pictures: [...counts], ages, wrong });
        ages = [];
        break;
      case "close":
        receivers?.close();
        break;
    }
  };
  onmessage = ({ data }: MessageEvent<Ask>) => asked(data);
}
