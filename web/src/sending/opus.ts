// How sound is encoded: always to the same number of bytes, since what packets of speech weigh says which
// words were spoken.

export interface SoundKind {
  readonly channels: number;
  /** Bits a second. */
  readonly bitrate: number;
  readonly application: "voip" | "audio";
}

export const VOICE: SoundKind = { channels: 1, bitrate: 24_000, application: "voip" };
export const SCREEN_SOUND_KIND: SoundKind = { channels: 2, bitrate: 64_000, application: "audio" };

/** Bytes of each packet of 20 ms. */
export function packetSize({ bitrate }: SoundKind): number {
  return bitrate / 50 / 8;
}

/** No correction of errors in the stream: decoders of browsers make no use of it, and it costs quality. */
export function config({ channels, bitrate, application }: SoundKind): AudioEncoderConfig {
  const opus = {
    format: "opus",
    frameDuration: 20_000,
    usedtx: false,
    useinbandfec: false,
    packetlossperc: 0,
    // Firefox knows neither of the two, and passes over them.
    application,
    signal: application === "voip" ? "voice" : "auto",
  } as const;
  return { codec: "opus", sampleRate: 48_000, numberOfChannels: channels, bitrate, bitrateMode: "constant", opus };
}

/** A packet of this encoder without sound in it, which decoders bridge as if it had been lost. */
export function empty(packet: Uint8Array): Uint8Array {
  return Uint8Array.of((packet[0] ?? 0) & 0xfc);
}

/**
 * The packet in exactly `size` bytes, by the padding of RFC 6716, section 3.2.5; `null` where it is larger,
 * or holds more than one frame.
 */
export function padded(packet: Uint8Array, size: number): Uint8Array | null {
  if (packet.length === size) return packet;
  const toc = packet[0];
  const room = size - packet.length - 1;
  if (toc === undefined || (toc & 3) !== 0 || room < 0 || room > 255) return null;
  const out = new Uint8Array(size);
  // Code 3: the number of frames is said, and whether there is padding, whose length follows.
  out[0] = toc | 3;
  out[1] = room === 0 ? 1 : 0x41;
  if (room > 0) out[2] = room - 1;
  out.set(packet.subarray(1), room === 0 ? 2 : 3);
  return out;
}
