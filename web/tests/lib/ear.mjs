// What comes out of a page's player, heard after decoding and mixing: the browser's made-up microphone beeps
// twice a second.

/** For `addInitScript`: listens to the player's node, beside whatever it is connected to. */
export function listen() {
  const Node = globalThis.AudioWorkletNode;
  globalThis.AudioWorkletNode = class extends Node {
    constructor(context, name, options) {
      super(context, name, options);
      if (name !== "player") return;
      const ear = context.createAnalyser();
      ear.fftSize = 2048;
      this.connect(ear);
      globalThis.ear = ear;
    }
  };
}

/** How many beeps there were, and how loud it was at most, in so many milliseconds. */
export function beeps(page, milliseconds) {
  return page.evaluate(async (milliseconds) => {
    const samples = new Float32Array(2048);
    let count = 0;
    let loudest = 0;
    let quietSince = performance.now() - 1000;
    for (const until = performance.now() + milliseconds; performance.now() < until; ) {
      globalThis.ear.getFloatTimeDomainData(samples);
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      loudest = Math.max(loudest, peak);
      if (peak > 0.02) {
        // A beep is shorter than the silence after it.
        if (performance.now() - quietSince > 150) count += 1;
        quietSince = performance.now();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { count, loudest };
  }, milliseconds);
}

/** Waits until something is heard. */
export const hears = (page, timeout = 30_000) =>
  page.waitForFunction(() => {
    const samples = new Float32Array(2048);
    globalThis.ear?.getFloatTimeDomainData(samples);
    return samples.some((sample) => Math.abs(sample) > 0.02);
  }, null, { timeout, polling: 20 });
