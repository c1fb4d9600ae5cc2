// Sound of a track as blocks over a port, by the worklet of `capture.worklet.ts`.
import type { Stop } from "../meeting/model.ts";

const RATE = 48_000;

export interface Heard {
  /** For the worker. */
  readonly port: MessagePort;
  readonly stop: Stop;
}

export class Hearing {
  /** By rate: 48 kHz for all, and one of the system's own rate where a track refuses to be in it. */
  #contexts = new Map<number | undefined, Promise<AudioContext>>();

  async hear(track: MediaStreamTrack, channels: 1 | 2): Promise<Heard> {
    const stream = new MediaStream([track]);
    try {
      return heard(await this.#context(RATE), stream, channels);
    } catch {
      // Firefox did not mix rates for long. The worklet makes 48 kHz of it.
      return heard(await this.#context(undefined), stream, channels);
    }
  }

  close(): void {
    for (const made of this.#contexts.values()) made.then((context) => context.close()).catch(() => undefined);
    this.#contexts.clear();
  }

  #context(sampleRate: number | undefined): Promise<AudioContext> {
    const made = this.#contexts.get(sampleRate) ?? open(sampleRate);
    this.#contexts.set(sampleRate, made);
    // Another time it may open.
    made.catch(() => this.#contexts.delete(sampleRate));
    return made;
  }
}

async function open(sampleRate: number | undefined): Promise<AudioContext> {
  const context = new AudioContext(sampleRate ? { sampleRate } : {});
  await context.audioWorklet.addModule(new URL("capture.js", document.baseURI).href);
  // Calls on a phone and the like interrupt it.
  context.onstatechange = () => {
    if (context.state !== "running" && context.state !== "closed") void context.resume().catch(() => undefined);
  };
  return context;
}

function heard(context: AudioContext, stream: MediaStream, channels: 1 | 2): Heard {
  // One that was made before anybody clicked sleeps until it is told again.
  if (context.state === "suspended") void context.resume().catch(() => undefined);
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "capture", {
    channelCount: channels,
    channelCountMode: "explicit",
    processorOptions: { channels },
  });
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage(port1, [port1]);
  // What leads nowhere is not run. Nothing comes out of it.
  source.connect(node).connect(context.destination);
  return {
    port: port2,
    stop: () => {
      source.disconnect();
      node.port.postMessage(null);
      node.disconnect();
    },
  };
}
