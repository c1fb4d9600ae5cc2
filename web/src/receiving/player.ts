// Sound out, on the page's side: the audio context and the worklet that mixes. What is played comes to the
// worklet straight from the worker, through a port that is handed over once.
import { RATE } from "./limits.ts";
import type { FromPage } from "./messages.ts";

/** How often the way to the ear is measured: headphones come and go. */
const MEASURE = 1000;
/** Gestures after which browsers let a page sound. */
const GESTURES = ["pointerdown", "pointerup", "keydown", "touchend"] as const;

export class Player {
  /** For the worker, to be transferred to it. */
  readonly port: MessagePort;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #timer: number;
  readonly #resume = () => void this.#context.resume().catch(() => undefined);

  private constructor(context: AudioContext) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "player", { numberOfInputs: 0, outputChannelCount: [2] });
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.#tell({ port: port2 }, [port2]);
    this.#node.connect(context.destination);
    // A call on a phone and the like takes it away.
    context.onstatechange = this.#woken;
    this.#timer = window.setInterval(() => this.#measure(), MEASURE);
    this.#measure();
    for (const gesture of GESTURES) addEventListener(gesture, this.#woken, { capture: true, passive: true });
    this.#resume();
  }

  static async open(): Promise<Player> {
    const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(new URL("player.js", document.baseURI).href);
      return new Player(context);
    } catch (error) {
      void context.close();
      throw error;
    }
  }

  /** For whoever wants to look at what is heard. */
  get output(): AudioNode {
    return this.#node;
  }

  /** A context sleeps until somebody clicks, and again when the system takes sound away. */
  readonly #woken = () => {
    if (this.#context.state !== "running" && this.#context.state !== "closed") this.#resume();
  };

  #measure(): void {
    const { outputLatency, baseLatency } = this.#context;
    const seconds = outputLatency || baseLatency || 0;
    this.#tell({ latency: Math.min(500, Math.max(0, seconds * 1000)) });
  }

  #tell(message: FromPage, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(message, transfer);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const gesture of GESTURES) removeEventListener(gesture, this.#woken, { capture: true });
    this.#tell("close");
    this.#node.disconnect();
    void this.#context.close();
  }
}
