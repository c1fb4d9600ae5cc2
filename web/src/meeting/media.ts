// The seam inside the worker between the meeting (`worker/`: connection, seal, people) and media
// (`sending/`, `receiving/`: codecs, clocks, sound out). All of it runs off the main thread; what needs the
// page (devices, AudioContext) is handed in as ports and streams that were made there.
//
// One clock: timestamps are microseconds of `performance.timeOrigin + performance.now()` of the sender,
// less a beginning that is the same for all tracks of one participant, so that sound and picture can be
// kept in step by whoever receives them. They never go back.

/** What a page sends, by number. Tracks that are off are not announced. */
export const SOUND = 1;
export const CAMERA = 2;
export const CAMERA_SMALL = 3;
export const SCREEN = 4;
export const SCREEN_SOUND = 5;

/** An encoded frame of one of this participant's own tracks, for the core to seal. */
export interface Encoded {
  readonly track: number;
  /** Microseconds. */
  readonly timestamp: number;
  readonly keyframe: boolean;
  /** Microseconds. */
  readonly duration?: number;
  readonly bytes: Uint8Array;
}

/** A track as it is announced; the same as `OwnTrack` of web/core. */
export type Announced =
  | { readonly codec: "opus"; readonly track: number; readonly channels: number; readonly screen?: boolean }
  | {
      readonly codec: "vp8" | "vp9" | "av1";
      readonly track: number;
      readonly width: number;
      readonly height: number;
      readonly screen?: boolean;
    };

/**
 * Pictures from the page: a stream of them, or, where the browser has none, a port that brings them one by
 * one, each once the one before was taken (`sending/frames.ts`). Their stamps are by any one clock.
 */
export type PictureSource = ReadableStream<VideoFrame> | MessagePort;

/**
 * What has changed of what comes from the page's devices. What is not named goes on as it is; `null` is
 * over; anything else takes the place of what was there, whose track goes on. Each port and stream is
 * given once.
 */
export interface Sources {
  /** Blocks of PCM from the capture worklet, a `Float32Array` each: mono, 48 kHz, 960 samples (20 ms). */
  readonly sound?: MessagePort | null;
  readonly camera?: PictureSource | null;
  readonly screen?: PictureSource | null;
  /** The same as `sound`, in stereo: 960 samples of the left, then 960 of the right. */
  readonly screenSound?: MessagePort | null;
}

/** Encoders of what this participant sends. */
export interface Sending {
  /** What is to be sent from now on. What is replaced or over is let go. */
  use(sources: Sources): void;
  /** Does anybody look? Off: nothing is encoded for that track, but it stays announced. On: begins with a key frame. */
  allow(pictures: boolean): void;
  /** The core gave up a group of this track: the network is too slow for it. */
  slow(track: number): void;
  /** A key frame as soon as may be, for somebody who comes or lost one. */
  keyframe(track: number): void;
  close(): void;
}

export interface SendingEvents {
  /** Each frame, in order of its track. */
  frame(frame: Encoded): void;
  /** What is sent has changed: to be announced before frames of it. */
  tracks(tracks: readonly Announced[]): void;
  /** The uplink does not hold: pictures were made smaller (`less`), left out (`none`), or are back (`well`). */
  uplink(state: "well" | "less" | "none"): void;
  /** This device cannot encode it (codec missing, or its encoder failed again and again): it was left out. */
  unencodable(track: number): void;
}

/** A track of somebody else, as web/core tells it. */
export interface Heard {
  readonly track: number;
  readonly codec: "opus" | "vp8" | "vp9" | "av1";
  readonly channels?: number;
  readonly width?: number;
  readonly height?: number;
  /** What a decoder needs before the first frame; often empty. */
  readonly setup: Uint8Array;
  /** Belongs to a shared screen, not to camera and microphone. */
  readonly screen: boolean;
}

/** Decoders, jitter buffers and the clock of everybody else. */
export interface Receiving {
  /** Somebody's tracks from now on. Those that stay the same go on without a gap. */
  person(who: number, tracks: readonly Heard[]): void;
  /** An opened frame. `number` counts the frames of its track: what is missing was lost. */
  frame(who: number, track: number, frame: { number: number; timestamp: number; keyframe: boolean; duration?: number; bytes: Uint8Array }): void;
  /** Pictures of this track are (not) wanted: no decoder is kept for what nobody looks at. */
  show(who: number, track: number, on: boolean): void;
  /** Nothing more comes on it, or from that person: sound stops, decoders are closed. */
  ended(who: number, track: number): void;
  gone(who: number): void;
  close(): void;
}

export interface ReceivingEvents {
  /** A picture whose time has come. Whoever takes it closes it. */
  picture(who: number, track: number, picture: VideoFrame): void;
  /** Found from decoded sound. */
  speaking(who: number, on: boolean): void;
  /** This device cannot decode it (codec missing, or its decoder failed again and again). */
  undecodable(who: number, track: number): void;
}
