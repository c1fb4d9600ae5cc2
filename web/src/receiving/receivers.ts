// Decoders of everybody else. A stand-in, without sound and without a clock: pictures are shown as they come.
import type { Heard, Receiving, ReceivingEvents } from "../meeting/media.ts";

const CODECS: Record<Heard["codec"], string> = { opus: "opus", vp8: "vp8", vp9: "vp09.00.10.08", av1: "av01.0.04M.08" };

export class Receivers implements Receiving {
  #events: ReceivingEvents;
  #codecs = new Map<string, string>();
  #decoders = new Map<string, VideoDecoder>();

  constructor(events: ReceivingEvents, _sound: MessagePort) {
    this.#events = events;
  }

  person(who: number, tracks: readonly Heard[]): void {
    for (const { track, codec } of tracks) this.#codecs.set(`${who} ${track}`, CODECS[codec]);
  }

  frame(who: number, track: number, frame: { timestamp: number; keyframe: boolean; bytes: Uint8Array }): void {
    const { timestamp, keyframe, bytes: data } = frame;
    const decoder = this.#decoders.get(`${who} ${track}`);
    if (!decoder || decoder.state === "closed") return;
    if (decoder.state === "unconfigured") {
      if (!keyframe) return;
      decoder.configure({ codec: this.#codecs.get(`${who} ${track}`) ?? "vp8" });
    }
    decoder.decode(new EncodedVideoChunk({ type: keyframe ? "key" : "delta", timestamp, data }));
  }

  show(who: number, track: number, on: boolean): void {
    if (!on) return this.ended(who, track);
    const name = `${who} ${track}`;
    if (this.#decoders.has(name)) return;
    this.#decoders.set(name, new VideoDecoder({
      output: (picture) => this.#events.picture(who, track, picture),
      error: () => this.#events.undecodable(who, track),
    }));
  }

  ended(who: number, track: number): void {
    const decoder = this.#decoders.get(`${who} ${track}`);
    this.#decoders.delete(`${who} ${track}`);
    if (decoder && decoder.state !== "closed") decoder.close();
  }

  gone(who: number): void {
    for (const name of [...this.#decoders.keys()]) if (name.startsWith(`${who} `)) this.ended(who, Number(name.split(" ")[1]));
  }

  close(): void {
    for (const name of [...this.#decoders.keys()]) this.gone(Number(name.split(" ")[0]));
  }
}
