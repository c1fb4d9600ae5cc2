// A made-up meeting inside one page: a worker encodes tones and pictures of several people, loses, delays
// and swaps them by a seed, and gives them to the true `Receivers`; the page plays them by the true
// `Player`, and looks and listens. This file is both sides. Never in what is shipped.
import { Player } from "../../src/receiving/player.ts";
import type { Ask, Told } from "./worker.ts";
import { work } from "./worker.ts";

const now = () => performance.timeOrigin + performance.now();

async function listen() {
  const worker = new Worker("app.js", { type: "module" });
  const player = await Player.open();
  const { context } = player.output;
  const analyser = context.createAnalyser();
  analyser.fftSize = 256;
  analyser.smoothingTimeConstant = 0;
  const slow = context.createAnalyser();
  slow.fftSize = 8192;
  player.output.connect(analyser).connect(slow);
  const told: Told[] = [];
  /** When each beep was first heard. */
  const beeps: number[] = [];
  /** How loud each look of 5 ms was. */
  let levels: number[] = [];
  let loud = false;
  worker.onmessage = ({ data }: MessageEvent<Told>) => told.push(data);
  const samples = new Float32Array(analyser.fftSize);
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const at = now();
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    levels.push(level);
    // The newest loud sample is not older than what is left of the look behind it.
    if (level > 0.05 && !loud) beeps.push(at - ((samples.length - samples.findIndex((sample) => Math.abs(sample) > 0.03)) / 48));
    loud = level > (loud ? 0.02 : 0.05);
  }, 4);
  const ask = (question: Ask, transfer: Transferable[] = []) => worker.postMessage(question, transfer);
  ask({ kind: "port", port: player.port }, [player.port]);
  Object.assign(globalThis, {
    rig: {
      ask,
      told,
      beeps,
      state: () => (context as AudioContext).state,
      latency: () => (context as AudioContext).outputLatency * 1000,
      resume: () => (context as AudioContext).resume(),
      levels: () => {
        const taken = levels;
        levels = [];
        return taken;
      },
      /** The strongest frequencies, in Hz. */
      tones: (count: number) => {
        const bins = new Float32Array(slow.frequencyBinCount);
        slow.getFloatFrequencyData(bins);
        const peaks = [...bins.keys()].filter((i) => {
          const here = bins[i] ?? 0;
          return here > (bins[i - 1] ?? 0) && here >= (bins[i + 1] ?? 0);
        });
        peaks.sort((a, b) => (bins[b] ?? 0) - (bins[a] ?? 0));
        return peaks.slice(0, count).map((i) => (i * context.sampleRate) / slow.fftSize);
      },
      close: () => player.close(),
    },
  });
  document.title = "ready";
}

if (typeof document === "undefined") work();
// Browsers want a gesture before a page may sound.
else addEventListener("click", () => void listen(), { once: true });
