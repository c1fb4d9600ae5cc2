// What the worker and the audio thread tell each other. They share a port, which the page hands over.

/** A voice: a sound track of somebody. */
export type Key = number;

/** A track's number is one byte. */
export const key = (who: number, track: number): Key => who * 256 + track;

export type ToPlayer =
  | {
      readonly kind: "sound";
      readonly key: Key;
      readonly number: number;
      readonly timestamp: number;
      readonly held: number;
      readonly planes: Float32Array[];
    }
  /** Hold this voice back so many milliseconds more: the pictures that belong to it are slower. */
  | { readonly kind: "more"; readonly key: Key; readonly time: number }
  | { readonly kind: "stop"; readonly key: Key }
  | { readonly kind: "close" };

/** A few times a second, and when it changes. */
export interface FromPlayer {
  /** Milliseconds until what is played now is heard. */
  readonly latency: number;
  /** Each voice that plays, and the sender's timestamp that is played. */
  readonly playing: readonly (readonly [Key, number])[];
  /** Milliseconds that were made up until now because nothing came, or not in time, of those who play. */
  readonly missing: number;
}

/** From the page to the audio thread. */
export type FromPage = { readonly port: MessagePort } | { readonly latency: number } | "close";
