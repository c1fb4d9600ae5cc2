// Blur and veil, drawn on this device before anything is sent. There is no model to find people in a
// picture, which would be a download: the blur keeps an oval in the middle, where a face is, and the veil
// keeps nothing but coarse patches of colour that change from moment to moment.
import type { Background } from "../meeting/model.ts";

const FPS = 24;
/** How long a camera may take to its first picture; what is painted before is empty. */
const BEGINNING_MS = 3000;
/** Patches of the veil across the picture: a face is then some six of them wide. */
const PATCHES = 20;
/** The blur's small picture: the whole is painted through so many pixels. */
const SMALL = 28;

export class Painted {
  readonly track: MediaStreamTrack;
  #video = document.createElement("video");
  #canvas = document.createElement("canvas");
  #small = document.createElement("canvas");
  #sharp = document.createElement("canvas");
  #timer = 0;
  #mode: Background;

  private constructor(source: MediaStreamTrack, mode: Background) {
    this.#mode = mode;
    const { width = 1280, height = 720 } = source.getSettings();
    for (const canvas of [this.#canvas, this.#sharp]) {
      canvas.width = width;
      canvas.height = height;
    }
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([source]);
    const stream = this.#canvas.captureStream(FPS);
    const track = stream.getVideoTracks()[0];
    if (!track) throw new DOMException("no canvas track", "NotSupportedError");
    this.track = track;
  }

  static async start(source: MediaStreamTrack, mode: Background): Promise<Painted> {
    const painted = new Painted(source, mode);
    // Not by animation frames: they stop when the tab is behind another one, and the picture with them.
    painted.#timer = window.setInterval(() => painted.#paint(), 1000 / FPS);
    try {
      // One that is turned off meanwhile never begins.
      await Promise.race([painted.#video.play(), new Promise((late) => setTimeout(late, BEGINNING_MS))]);
    } catch (error) {
      painted.stop();
      throw error;
    }
    painted.#paint();
    return painted;
  }

  setMode(mode: Background): void {
    this.#mode = mode;
    this.#paint();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#video.srcObject = null;
    this.track.stop();
  }

  #paint(): void {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!width || !height) return;
    for (const canvas of [this.#canvas, this.#sharp]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
    if (this.#mode === "veil") this.#veil(width, height);
    else this.#blur(width, height);
  }

  #shrink(across: number, width: number, height: number): void {
    const down = Math.max(2, Math.round((across * height) / width));
    this.#small.width = across;
    this.#small.height = down;
    const small = this.#small.getContext("2d", { willReadFrequently: true });
    if (!small) return;
    small.imageSmoothingQuality = "high";
    small.drawImage(this.#video, 0, 0, across, down);
  }

  #veil(width: number, height: number): void {
    this.#shrink(PATCHES, width, height);
    const small = this.#small.getContext("2d", { willReadFrequently: true });
    const canvas = this.#canvas.getContext("2d");
    if (!small || !canvas) return;
    // Steps of colour and noise, so that many patches seen one after another do not add up to a face.
    const image = small.getImageData(0, 0, this.#small.width, this.#small.height);
    const noise = crypto.getRandomValues(new Uint8Array(image.data.length));
    for (let i = 0; i < image.data.length; i++) {
      if (i % 4 === 3) continue;
      const value = (image.data[i] ?? 0) + ((noise[i] ?? 0) - 128) / 5;
      image.data[i] = Math.round(value / 36) * 36;
    }
    small.putImageData(image, 0, 0);
    canvas.imageSmoothingEnabled = false;
    canvas.drawImage(this.#small, 0, 0, width, height);
  }

  #blur(width: number, height: number): void {
    this.#shrink(SMALL, width, height);
    const canvas = this.#canvas.getContext("2d");
    const sharp = this.#sharp.getContext("2d");
    if (!canvas || !sharp) return;
    canvas.imageSmoothingEnabled = true;
    canvas.imageSmoothingQuality = "high";
    canvas.drawImage(this.#small, 0, 0, width, height);
    // The sharp picture, cut to an oval with a soft edge.
    sharp.globalCompositeOperation = "copy";
    sharp.drawImage(this.#video, 0, 0, width, height);
    sharp.globalCompositeOperation = "destination-in";
    sharp.save();
    sharp.translate(width / 2, height * 0.52);
    sharp.scale(0.62, 1);
    const edge = sharp.createRadialGradient(0, 0, height * 0.36, 0, 0, height * 0.47);
    edge.addColorStop(0, "rgba(0, 0, 0, 1)");
    edge.addColorStop(1, "rgba(0, 0, 0, 0)");
    sharp.fillStyle = edge;
    sharp.fillRect(-width, -height, width * 2, height * 2);
    sharp.restore();
    canvas.drawImage(this.#sharp, 0, 0);
  }
}
