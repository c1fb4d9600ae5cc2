// What this participant sends: the worker's half. Ports and streams of the page come in, encoded frames go
// out, and a ladder says how much of the pictures there is.
import {
  type Announced,
  CAMERA,
  CAMERA_SMALL,
  SCREEN,
  SCREEN_SOUND,
  type Sending,
  type SendingEvents,
  SOUND,
  type Sources,
} from "../meeting/media.ts";
import { clock } from "./clock.ts";
import { Ladder } from "./ladder.ts";
import { SCREEN_SOUND_KIND, type SoundKind, VOICE } from "./opus.ts";
import { SoundTrack } from "./sound.ts";
import type { Codec } from "./video.ts";
import { View } from "./view.ts";

const TICK = 20;

export class Senders implements Sending {
  readonly #events: SendingEvents;
  readonly #clock = clock();
  readonly #ladder = new Ladder();
  readonly #camera: View;
  readonly #screen: View;
  readonly #sounds = new Map<number, SoundTrack>();
  readonly #timer: ReturnType<typeof setInterval>;
  #announced = "[]";
  #uplink = "well";
  #allowed = true;
  #ticks = 0;

  constructor(events: SendingEvents, codec: Codec = "vp8") {
    this.#events = events;
    const of = {
      frame: events.frame.bind(events),
      busy: () => this.#slow(),
      changed: () => this.#announce(),
      failed: (track: number) => this.#failed(track),
    };
    this.#camera = new View([CAMERA, CAMERA_SMALL], codec, false, this.#clock, of);
    this.#screen = new View([SCREEN], codec, true, this.#clock, of);
    this.#bound();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  use({ sound, camera, screen, screenSound }: Sources): void {
    if (sound !== undefined) this.#sound(SOUND, VOICE, sound);
    if (screenSound !== undefined) this.#sound(SCREEN_SOUND, SCREEN_SOUND_KIND, screenSound);
    if (camera !== undefined) this.#camera.use(camera);
    if (screen !== undefined) this.#screen.use(screen);
    this.#ladder.present({ camera: this.#camera.on, screen: this.#screen.on });
    this.#announce();
    this.#tellUplink();
  }

  allow(pictures: boolean): void {
    this.#allowed = pictures;
    this.#camera.allow(pictures);
    this.#screen.allow(pictures);
  }

  slow(track: number): void {
    // The rest of its group is gone, and nothing can be shown without a new one.
    this.keyframe(track);
    if (track !== SOUND && track !== SCREEN_SOUND) this.#slow();
  }

  keyframe(track: number): void {
    this.#camera.keyframe(track);
    this.#screen.keyframe(track);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const sound of this.#sounds.values()) sound.close();
    this.#sounds.clear();
    this.#camera.close();
    this.#screen.close();
  }

  #sound(track: number, kind: SoundKind, port: MessagePort | null): void {
    let sound = this.#sounds.get(track);
    if (!port) {
      sound?.close();
      this.#sounds.delete(track);
      return;
    }
    if (!sound) {
      sound = new SoundTrack(track, kind, this.#clock, {
        frame: this.#events.frame.bind(this.#events),
        failed: () => this.#failed(track),
      });
      this.#sounds.set(track, sound);
    }
    sound.use(port);
  }

  #tick(): void {
    for (const sound of this.#sounds.values()) sound.tick();
    // 25 times a second for pictures.
    if (this.#ticks++ % 2) return;
    this.#camera.tick();
    this.#screen.tick();
    if (this.#allowed && this.#ladder.tick(performance.now())) this.#bound();
  }

  #slow(): void {
    if (this.#allowed && this.#ladder.slow(performance.now())) this.#bound();
  }

  #bound(): void {
    const { large, small, screen } = this.#ladder.plan();
    this.#camera.bound([large, small]);
    this.#screen.bound([screen]);
    this.#tellUplink();
  }

  #tellUplink(): void {
    const uplink = this.#ladder.uplink();
    if (uplink === this.#uplink) return;
    this.#uplink = uplink;
    this.#events.uplink(uplink);
  }

  #failed(track: number): void {
    this.#sounds.delete(track);
    this.#announce();
    this.#events.unencodable(track);
  }

  #announce(): void {
    const tracks: Announced[] = [];
    if (this.#sounds.has(SOUND)) tracks.push({ codec: "opus", track: SOUND, channels: VOICE.channels });
    tracks.push(...this.#camera.announced(), ...this.#screen.announced());
    if (this.#sounds.has(SCREEN_SOUND)) {
      tracks.push({ codec: "opus", track: SCREEN_SOUND, channels: SCREEN_SOUND_KIND.channels, screen: true });
    }
    const announced = JSON.stringify(tracks);
    if (announced === this.#announced) return;
    this.#announced = announced;
    this.#events.tracks(tracks);
  }
}
