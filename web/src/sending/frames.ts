// Pictures of a track where the browser has no stream of them: a video element that nobody sees, and each
// of its frames over a port, once the worker took the one before.

/** So long without a frame's callback: the page is hidden, and the worker's ticks drive it. In milliseconds. */
const HIDDEN = 200;

export class Frames {
  /** For the worker. */
  readonly port: MessagePort;
  #own: MessagePort;
  #video = document.createElement("video");
  #callback = 0;
  #free = true;
  #seen = -Infinity;

  constructor(track: MediaStreamTrack) {
    const { port1, port2 } = new MessageChannel();
    this.#own = port1;
    this.port = port2;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([track]);
    this.#video.play().catch(() => undefined);
    this.#own.onmessage = ({ data }: MessageEvent<"taken" | "tick">) => {
      if (data === "taken") this.#free = true;
      else if (performance.now() - this.#seen > HIDDEN) this.#give(performance.now());
    };
    this.#next();
  }

  stop(): void {
    this.#video.cancelVideoFrameCallback(this.#callback);
    this.#video.srcObject = null;
    this.#own.close();
  }

  #next(): void {
    this.#callback = this.#video.requestVideoFrameCallback((now, { captureTime }) => {
      this.#seen = performance.now();
      this.#next();
      this.#give(captureTime ?? now);
    });
  }

  #give(at: number): void {
    const { readyState, videoWidth } = this.#video;
    if (!this.#free || readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0) return;
    try {
      const frame = new VideoFrame(this.#video, { timestamp: Math.round(at * 1000) });
      this.#free = false;
      this.#own.postMessage(frame, [frame]);
    } catch {
      // There was none after all; the next one will do.
    }
  }
}
