// Everybody else's sound and pictures, in the worker: a `Sound` or `Pictures` for each track that is heard
// or shown, and what they share: the port to the player, what plays there, and this device's strength.
import type { Heard, Receiving, ReceivingEvents } from "../meeting/media.ts";
import { Lag } from "./lag.ts";
import {
  LARGEST_PICTURE, LATEST, LONGEST_PICTURE, LONGEST_SOUND, MOST_PEOPLE, MOST_PICTURES, MOST_TRACKS, MOST_VOICES,
} from "./limits.ts";
import { key, type FromPlayer, type Key, type ToPlayer } from "./messages.ts";
import { Pictures } from "./pictures.ts";
import { Positions } from "./positions.ts";
import { Sound, type Came } from "./sound.ts";

interface Track {
  heard: Heard;
  sound: Sound | null;
  /** It is loud just now. */
  speaking: boolean;
  pictures: Pictures | null;
  /** Cannot be decoded here; said once. */
  dead: boolean;
  /** A device that is too slow decodes only its key frames until then, and for how long the last time. */
  relief: { until: number; time: number } | null;
}

type Frame = Parameters<Receiving["frame"]>[2];

/** Milliseconds for which a track goes by key frames alone, doubled each time it was in vain. */
const RELIEF = 8000;
const LONGEST_RELIEF = 60_000;
/** One track at a time is relieved, so that no more is given up than has to be. */
const PACE = 1500;

export class Receivers implements Receiving {
  readonly #events: ReceivingEvents;
  readonly #port: MessagePort;
  readonly #people = new Map<number, Map<number, Track>>();
  /** What is to be shown, announced or not. */
  readonly #shown = new Set<Key>();
  readonly #positions = new Positions();
  readonly #lags = new Map<Key, Lag>();
  #voices = 0;
  #pictures = 0;
  #relieved = 0;

  constructor(events: ReceivingEvents, sound: MessagePort) {
    this.#events = events;
    this.#port = sound;
    sound.onmessage = ({ data }: MessageEvent<FromPlayer>) => this.#positions.take(performance.now(), data);
  }

  /** Milliseconds of sound that were made up until now because nothing was there in time, and how many are heard. */
  get missing(): number {
    return this.#positions.missing;
  }

  get voices(): number {
    return this.#positions.voices;
  }

  person(who: number, tracks: readonly Heard[]): void {
    const before = this.#people.get(who) ?? new Map<number, Track>();
    if (!this.#people.has(who) && this.#people.size >= MOST_PEOPLE) return;
    const after = new Map<number, Track>();
    for (const heard of tracks.slice(0, MOST_TRACKS)) {
      if (!sane(heard)) continue;
      const old = before.get(heard.track);
      if (old && same(old.heard, heard)) {
        old.heard = heard;
        after.set(heard.track, old);
        before.delete(heard.track);
      } else {
        after.set(heard.track, { heard, sound: null, speaking: false, pictures: null, dead: false, relief: null });
      }
    }
    for (const [number, track] of before) this.#end(who, number, track);
    this.#people.set(who, after);
  }

  frame(who: number, number: number, frame: Frame): void {
    const track = this.#people.get(who)?.get(number);
    if (!track || track.dead) return;
    const { bytes, timestamp, keyframe } = frame;
    const counted = Number.isSafeInteger(frame.number) && frame.number >= 0;
    if (!counted || !(timestamp >= 0 && timestamp < LATEST)) return;
    const longest = track.heard.codec === "opus" ? LONGEST_SOUND : LONGEST_PICTURE;
    if (bytes.length === 0 || bytes.length > longest) return;
    // Decoders take whole microseconds, and give them back.
    const came: Came = { number: frame.number, timestamp: Math.round(timestamp), keyframe, bytes, came: performance.now() };
    if (track.heard.codec === "opus") this.#sound(who, track)?.frame(came);
    else this.#picture(who, track)?.frame(came);
  }

  show(who: number, track: number, on: boolean): void {
    const shown = key(who, track);
    if (on && this.#shown.size < MOST_PEOPLE * MOST_TRACKS) this.#shown.add(shown);
    if (on) return;
    this.#shown.delete(shown);
    const known = this.#people.get(who)?.get(track);
    if (known?.pictures) this.#hide(known);
  }

  ended(who: number, number: number): void {
    const tracks = this.#people.get(who);
    const track = tracks?.get(number);
    if (!tracks || !track) return;
    tracks.delete(number);
    this.#end(who, number, track);
  }

  gone(who: number): void {
    for (const [number, track] of this.#people.get(who) ?? []) {
      this.#end(who, number, track);
      this.#shown.delete(key(who, number));
    }
    this.#people.delete(who);
  }

  close(): void {
    for (const who of [...this.#people.keys()]) this.gone(who);
    this.#shown.clear();
    this.#port.close();
  }

  #post(message: ToPlayer, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #sound(who: number, track: Track): Sound | null {
    if (track.sound) return track.sound;
    const { heard } = track;
    const voice = key(who, heard.track);
    if (this.#voices >= MOST_VOICES) return null;
    this.#voices++;
    track.sound = new Sound(heard.channels ?? 1, {
      decoded: (number, timestamp, held, planes) => {
        if (!this.#positions.awake(performance.now())) return;
        this.#post({ kind: "sound", key: voice, number, timestamp, held, planes }, planes.map(({ buffer }) => buffer));
      },
      speaking: (on) => this.#speaks(who, track, on),
      failed: () => this.#dead(who, track),
      played: () => this.#positions.played(performance.now(), voice),
    });
    return track.sound;
  }

  /** By any of its sounds: what somebody calls the sound of a screen may be a voice. */
  #speaks(who: number, track: Track, on: boolean): void {
    const tracks = [...(this.#people.get(who)?.values() ?? [])];
    track.speaking = on;
    if (!tracks.some((other) => other !== track && other.speaking)) this.#events.speaking(who, on);
  }

  #picture(who: number, track: Track): Pictures | null {
    const { heard } = track;
    if (track.pictures || heard.codec === "opus") return track.pictures;
    if (!this.#shown.has(key(who, heard.track)) || this.#pictures >= MOST_PICTURES) return null;
    this.#pictures++;
    track.pictures = new Pictures(heard.codec, {
      picture: (picture) => {
        this.#restore(track);
        this.#events.picture(who, heard.track, picture);
      },
      failed: () => this.#dead(who, track),
      heard: () => {
        const voice = this.#voice(who, heard.screen);
        return voice === null ? null : this.#positions.heard(performance.now(), voice);
      },
      late: (time) => this.#late(who, heard.screen, time),
      slow: () => this.#slow(),
    });
    return track.pictures;
  }

  /** The sound that pictures go by: a screen's by its own, if it has one; all of a person's have one clock. */
  #voice(who: number, screen: boolean): Key | null {
    let found: Key | null = null;
    for (const { heard } of this.#people.get(who)?.values() ?? []) {
      if (heard.codec !== "opus") continue;
      const voice = key(who, heard.track);
      if (this.#positions.played(performance.now(), voice) === null) continue;
      if (heard.screen === screen) return voice;
      if (!heard.screen) found = voice;
    }
    return found;
  }

  #late(who: number, screen: boolean, time: number): void {
    const voice = this.#voice(who, screen);
    if (voice === null) return;
    let lag = this.#lags.get(voice);
    if (!lag) this.#lags.set(voice, (lag = new Lag()));
    const more = lag.take(performance.now(), time);
    if (more !== null) this.#post({ kind: "more", key: voice, time: more });
  }

  /** Of the pictures that are shown, the largest go by key frames alone for a while. Sound never does. */
  #slow(): void {
    const now = performance.now();
    if (now - this.#relieved < PACE) return;
    let largest: Track | null = null;
    const size = ({ heard: { width = 0, height = 0 } }: Track) => width * height;
    for (const tracks of this.#people.values()) {
      for (const track of tracks.values()) {
        if (!track.pictures || (track.relief && now < track.relief.until)) continue;
        if (!largest || size(track) > size(largest)) largest = track;
      }
    }
    if (!largest?.pictures) return;
    this.#relieved = now;
    const time = Math.min(LONGEST_RELIEF, largest.relief ? largest.relief.time * 2 : RELIEF);
    largest.relief = { until: now + time, time };
    largest.pictures.keysOnly = true;
  }

  #restore({ relief, pictures }: Track): void {
    if (relief && pictures && performance.now() >= relief.until) pictures.keysOnly = false;
  }

  #dead(who: number, track: Track): void {
    track.dead = true;
    this.#end(who, track.heard.track, track);
    this.#events.undecodable(who, track.heard.track);
  }

  #hide(track: Track): void {
    track.pictures?.close();
    if (track.pictures) this.#pictures--;
    track.pictures = null;
  }

  #end(who: number, number: number, track: Track): void {
    this.#hide(track);
    if (!track.sound) return;
    const voice = key(who, number);
    track.sound.close();
    track.sound = null;
    this.#voices--;
    this.#post({ kind: "stop", key: voice });
    this.#positions.forget(voice);
    this.#lags.delete(voice);
  }
}

/** A stranger's word that could be true. */
function sane({ track, codec, channels = 1, width = 0, height = 0 }: Heard): boolean {
  if (!Number.isInteger(track) || track < 0 || track > 255) return false;
  if (codec === "opus") return channels === 1 || channels === 2;
  return width >= 0 && height >= 0 && width * height <= LARGEST_PICTURE;
}

/** Sizes may change on the way: what is decoded says its own. */
function same(a: Heard, b: Heard): boolean {
  return a.codec === b.codec && (a.channels ?? 1) === (b.channels ?? 1) && a.screen === b.screen;
}
