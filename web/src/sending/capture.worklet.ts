// In the audio thread: what a source gives, in blocks of 960 samples at 48 kHz, straight to the worker over
// a port, without waiting for the page. What is heard of it here is nothing.

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(
  name: string,
  made: new (options: { processorOptions: { channels: number } }) => AudioWorkletProcessor,
): void;

const SAMPLES = 960;
const RATE = 48_000;

class Capture extends AudioWorkletProcessor {
  #channels: number;
  #out: MessagePort | null = null;
  #ended = false;
  #block: Float32Array<ArrayBuffer>;
  #filled = 0;
  /** Where the next sample stands among the source's, from -1, which is the last of the quantum before. */
  #place = 0;
  #past: number[];

  constructor({ processorOptions: { channels } }: { processorOptions: { channels: number } }) {
    super();
    this.#channels = channels;
    this.#block = new Float32Array(SAMPLES * channels);
    this.#past = new Array<number>(channels).fill(0);
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | null>) => {
      this.#out = data;
      this.#ended = data === null;
    };
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    // A source that has ended or is not connected gives no channels: that is silence, of the same length.
    const length = output?.[0]?.length ?? 128;
    // In Firefox a stream's rate can be one that its context has to take, too: 48 kHz are made here.
    const step = sampleRate / RATE;
    for (; this.#place < length - 1 + (step === 1 ? 1 : 0); this.#place += step) {
      const low = Math.floor(this.#place);
      for (let channel = 0; channel < this.#channels; channel++) {
        const samples = input?.[channel];
        const at = (index: number) => (index < 0 ? (this.#past[channel] ?? 0) : (samples?.[index] ?? 0));
        const value = step === 1 ? at(low) : at(low) + (at(low + 1) - at(low)) * (this.#place - low);
        this.#block[channel * SAMPLES + this.#filled] = value;
      }
      if (++this.#filled === SAMPLES) this.#give();
    }
    this.#place -= length;
    this.#past = this.#past.map((_, channel) => input?.[channel]?.[length - 1] ?? 0);
    return !this.#ended;
  }

  #give(): void {
    this.#out?.postMessage(this.#block, [this.#block.buffer]);
    this.#block = new Float32Array(SAMPLES * this.#channels);
    this.#filled = 0;
  }
}

registerProcessor("capture", Capture);
export {};
