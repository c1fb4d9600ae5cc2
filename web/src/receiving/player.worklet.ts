// The audio thread: everybody's decoded sound comes in through a port from the worker, and goes out mixed.
// Its clock is the samples that were played; worklets have no other one everywhere.
import type { FromPage, ToPlayer } from "./messages.ts";
import { Mixer } from "./mixer.ts";

declare const currentFrame: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, made: new () => AudioWorkletProcessor): void;

class Player extends AudioWorkletProcessor {
  #mixer = new Mixer();
  #worker: MessagePort | null = null;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<FromPage>) => {
      if (data === "close") this.#close();
      else if ("latency" in data) this.#mixer.latency = data.latency;
      else this.#listen(data.port);
    };
  }

  #listen(port: MessagePort): void {
    this.#worker = port;
    port.onmessage = ({ data }: MessageEvent<ToPlayer>) => this.#mixer.take(currentFrame, data);
  }

  #close(): void {
    this.#open = false;
    this.#worker?.close();
    this.#mixer.take(currentFrame, { kind: "close" });
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    if (!left || !right || !this.#open) return this.#open;
    this.#mixer.pull(currentFrame, left, right);
    const told = this.#mixer.tell(currentFrame);
    if (told) this.#worker?.postMessage(told);
    return true;
  }
}

registerProcessor("player", Player);
