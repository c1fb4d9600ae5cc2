// The voice disguise, in the audio thread: pitch and formants are moved together by reading the last
// moments of sound at another speed, in two windows that fade into each other. How far is drawn anew each
// time the disguise is put on, and wanders all the while, so that no single number turns it back. It hides
// a voice from ears and from simple matching; words, accent and rhythm stay what they are.

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, made: new () => AudioWorkletProcessor): void;

/** Seconds of sound in one window: shorter warbles, longer echoes. */
const WINDOW = 0.06;
/** How far the ratio wanders to either side, and how many seconds it takes from one place to the next. */
const WANDER = 0.05;
const STEP = 0.7;

/** From 0 to 1, of the system's own randomness where worklets have it. */
function random(): number {
  const crypto = (globalThis as { crypto?: Crypto }).crypto;
  if (!crypto?.getRandomValues) return Math.random();
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

/** Down to 0.72–0.82 or up to 1.24–1.40: nearer to 1 is recognised, farther is not understood. */
function draw(): number {
  return random() < 0.5 ? 0.72 + 0.1 * random() : 1.24 + 0.16 * random();
}

class Voice extends AudioWorkletProcessor {
  #length = Math.round(WINDOW * sampleRate);
  #past = new Float32Array(this.#length * 2);
  #at = 0;
  #phase = 0;
  #middle = draw();
  #ratio = this.#middle;
  #aim = this.#middle;
  #until = 0;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = () => (this.#ended = true);
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (!out) return !this.#ended;
    const input = inputs[0]?.[0];
    for (let i = 0; i < out.length; i++) {
      this.#past[this.#at] = input?.[i] ?? 0;
      this.#wander();
      // How far behind the newest sample a window reads grows or shrinks by what the ratio differs from 1.
      this.#phase = (this.#phase + (1 - this.#ratio) / this.#length + 1) % 1;
      const other = (this.#phase + 0.5) % 1;
      out[i] = this.#read(this.#phase) * fade(this.#phase) + this.#read(other) * fade(other);
      this.#at = (this.#at + 1) % this.#past.length;
    }
    return !this.#ended;
  }

  #wander(): void {
    if (this.#until-- <= 0) {
      this.#until = STEP * sampleRate;
      this.#aim = this.#middle * (1 + WANDER * (2 * random() - 1));
    }
    this.#ratio += (this.#aim - this.#ratio) / (0.3 * sampleRate);
  }

  #read(phase: number): number {
    const behind = phase * this.#length + 1;
    const size = this.#past.length;
    const place = (this.#at - behind + size) % size;
    const low = Math.floor(place);
    const part = place - low;
    const a = this.#past[low] ?? 0;
    const b = this.#past[(low + 1) % size] ?? 0;
    return a + (b - a) * part;
  }
}

/** Two of these half a turn apart make 1 together. */
function fade(phase: number): number {
  return 0.5 - 0.5 * Math.cos(2 * Math.PI * phase);
}

registerProcessor("voice", Voice);
