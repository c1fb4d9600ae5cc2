// The worker of `sending.ts`: Senders with nobody behind them. Keeps what was sent, and looks into it.
import type { Announced, Encoded, Sources } from "../../src/meeting/media.ts";
import { Senders } from "../../src/sending/senders.ts";

let frames: (Encoded & { arrived: number })[] = [];
const told: (readonly Announced[])[] = [];
const uplinks: string[] = [];
const unencodable: number[] = [];
const order: string[] = [];

const senders = new Senders({
  frame: (frame) => {
    frames.push({ ...frame, arrived: performance.now() });
    const note = `frame ${frame.track}`;
    if (order.at(-1) !== note) order.push(note);
  },
  tracks: (tracks) => {
    told.push(tracks);
    order.push(`tracks ${tracks.map(({ track }) => track).join(" ")}`);
  },
  uplink: (state) => uplinks.push(state),
  unencodable: (track) => unencodable.push(track),
});

const of = (track: number) => frames.filter((frame) => frame.track === track);

/** Each picture decoded: its size, how bright it is, and a few of its pixels. */
async function pictures(track: number) {
  const out: { timestamp: number; width: number; height: number; light: number; seen: number[] }[] = [];
  const decoder = new VideoDecoder({
    output: (picture) => {
      const { timestamp, displayWidth: width, displayHeight: height } = picture;
      const canvas = new OffscreenCanvas(16, 16);
      const context = canvas.getContext("2d", { willReadFrequently: true })!;
      context.drawImage(picture, 0, 0, 16, 16);
      picture.close();
      const { data } = context.getImageData(0, 0, 16, 16);
      let light = 0;
      for (let at = 1; at < data.length; at += 4) light += data[at]!;
      out.push({ timestamp, width, height, light: light / 256, seen: [...data.filter((_, at) => at % 4 === 1)] });
    },
    error: () => out.push({ timestamp: -1, width: 0, height: 0, light: 0, seen: [] }),
  });
  decoder.configure({ codec: "vp8" });
  const sent = of(track);
  for (const { keyframe, timestamp, bytes } of sent.slice(sent.findIndex(({ keyframe }) => keyframe))) {
    decoder.decode(new EncodedVideoChunk({ type: keyframe ? "key" : "delta", timestamp, data: bytes as BufferSource }));
  }
  await decoder.flush();
  decoder.close();
  return out;
}

/** The loudness of each millisecond of the decoded sound, and when it begins. */
async function sound(track: number, channels: number) {
  const loud: number[] = [];
  const decoder = new AudioDecoder({
    output: (sound) => {
      const samples = new Float32Array(sound.numberOfFrames);
      sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      sound.close();
      for (let at = 0; at < samples.length; at += 48) loud.push(Math.max(...samples.subarray(at, at + 48).map(Math.abs)));
    },
    error: () => loud.push(-1),
  });
  decoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: channels });
  const packets = of(track);
  for (const { timestamp, bytes } of packets) {
    decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: bytes as BufferSource }));
  }
  await decoder.flush();
  decoder.close();
  return { from: packets[0]?.timestamp ?? 0, loud };
}

const asks: { [name: string]: (...given: never[]) => unknown } = {
  sent: () => ({
    frames: frames.map(({ bytes, ...rest }) => ({ ...rest, size: bytes.length })),
    told,
    uplinks,
    unencodable,
    order,
    now: performance.now(),
  }),
  forget: () => (frames = []).length,
  pictures,
  sound,
  allow: (on: boolean) => senders.allow(on),
  slow: (track: number) => senders.slow(track),
  keyframe: (track: number) => senders.keyframe(track),
  close: () => senders.close(),
  /** The next so many frames end their encoder. */
  fail: (kind: "AudioEncoder" | "VideoEncoder", times: number) => {
    const { prototype } = globalThis[kind] as { prototype: { encode(...given: unknown[]): void } };
    const { encode } = prototype;
    prototype.encode = function (...given) {
      if (times-- > 0) throw new Error("made up");
      encode.apply(this, given);
    };
  },
  /** Keeps the worker from everything. */
  hang: (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  },
};

self.onmessage = async ({ data }: MessageEvent<{ sources?: Sources; ask?: string; given?: never[] }>) => {
  if (data.sources) return senders.use(data.sources);
  const answer = await asks[data.ask ?? ""]?.(...(data.given ?? []));
  postMessage(answer ?? null);
};
