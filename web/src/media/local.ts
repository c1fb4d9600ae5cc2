// Camera, microphone, screen and file of this device, and what has become of each: `Local` for screens and
// for a session. A camera that is off is let go, so that its light goes out.
import type { Background, DeviceTrouble, Local, LocalState, Stop } from "../meeting/model.ts";
import { Painted } from "./background.ts";
import { Played } from "./file.ts";
import { Microphone } from "./sound.ts";
import { trouble } from "./trouble.ts";

const NOTHING: LocalState = {
  microphone: false,
  camera: false,
  screen: false,
  playing: null,
  microphoneTrouble: null,
  cameraTrouble: null,
  screenTrouble: null,
  fileTrouble: false,
  microphones: [],
  cameras: [],
  microphoneId: null,
  cameraId: null,
  disguise: false,
  background: "plain",
};

type Queue = "devices" | "screen" | "file";

export class LocalMedia implements Local {
  #state = NOTHING;
  #listeners = new Set<() => void>();
  #microphone: Microphone | null = null;
  #camera: MediaStreamTrack | null = null;
  #painted: Painted | null = null;
  #shared: { picture: MediaStreamTrack; sound: MediaStreamTrack | null } | null = null;
  #played: Played | null = null;
  /** Changes of a device wait for each other: two clicks must not open it twice. */
  #queues: Record<Queue, Promise<void>> = { devices: Promise.resolve(), screen: Promise.resolve(), file: Promise.resolve() };
  /** What was asked for last. To be off does not wait: a browser's question about a screen may stand for long. */
  #wanted = { microphone: false, camera: false };
  #closed = false;

  constructor() {
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#list);
  }

  state = (): LocalState => this.#state;

  subscribe(changed: () => void): Stop {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Muted, it is a track of silence: sent like speech, so that nobody sees from outside who is muted. */
  sound(): MediaStreamTrack | null {
    return this.#played?.sound() ?? this.#microphone?.track ?? null;
  }

  picture(): MediaStreamTrack | null {
    return this.#played?.picture() ?? this.#painted?.track ?? this.#bare();
  }

  screen(): { picture: MediaStreamTrack; sound: MediaStreamTrack | null } | null {
    return this.#shared;
  }

  level(): number {
    return this.#microphone?.level() ?? 0;
  }

  setMicrophone(on: boolean): Promise<void> {
    this.#wanted.microphone = on;
    if (!on) this.#microphoneIs(false);
    return this.#then("devices", async () => {
      if (!this.#wanted.microphone) return;
      if (this.#microphone || (await this.#openMicrophone(this.#state.microphoneId))) {
        this.#microphoneIs(this.#wanted.microphone);
      }
    });
  }

  setCamera(on: boolean): Promise<void> {
    this.#wanted.camera = on;
    if (!on) this.#cameraOff();
    return this.#then("devices", async () => {
      if (this.#wanted.camera && !this.#camera) await this.#openCamera(this.#state.cameraId);
    });
  }

  letGo(): Promise<void> {
    this.#wanted = { microphone: false, camera: false };
    this.#microphoneIs(false);
    this.#cameraOff();
    return this.#then("devices", async () => {
      this.#microphone?.close();
      this.#microphone = null;
      this.#change({});
    });
  }

  chooseMicrophone(id: string): Promise<void> {
    return this.#then("devices", async () => {
      this.#change({ microphoneId: id });
      if (!this.#microphone) return;
      this.#microphone.close();
      this.#microphone = null;
      if (await this.#openMicrophone(id)) this.#microphoneIs(this.#wanted.microphone);
    });
  }

  chooseCamera(id: string): Promise<void> {
    return this.#then("devices", async () => {
      this.#change({ cameraId: id });
      if (!this.#camera) return;
      this.#closeCamera();
      await this.#openCamera(id);
    });
  }

  setScreen(on: boolean): Promise<void> {
    return this.#then("screen", async () => {
      this.#closeScreen();
      if (!on) return this.#change({ screen: false, screenTrouble: null });
      try {
        const stream = await navigator.mediaDevices.getDisplayMedia({
          video: { frameRate: { max: 30 } },
          audio: true,
        });
        const picture = stream.getVideoTracks()[0];
        if (!picture) return;
        this.#shared = { picture, sound: stream.getAudioTracks()[0] ?? null };
        // The browser's own bar has a button that ends it, too.
        picture.addEventListener("ended", () => void this.setScreen(false));
        this.#change({ screen: true, screenTrouble: null });
      } catch (error) {
        // Closing the browser's question without a choice is no trouble.
        const why = trouble(error);
        this.#change({ screen: false, screenTrouble: why === "denied" ? null : why });
      }
    });
  }

  play(file: File | null): Promise<void> {
    return this.#then("file", async () => {
      this.#played?.stop();
      this.#played = null;
      if (file) this.#played = await Played.start(file, () => void this.play(null)).catch(() => null);
      this.#change({ playing: this.#played?.name ?? null, fileTrouble: file !== null && !this.#played });
    });
  }

  setDisguise(on: boolean): Promise<void> {
    return this.#then("devices", async () => {
      try {
        await this.#microphone?.setDisguise(on);
        this.#change({ disguise: on });
      } catch {
        this.#change({ disguise: false, microphone: false, microphoneTrouble: "failed" });
        this.#microphone?.close();
        this.#microphone = null;
      }
    });
  }

  setBackground(background: Background): Promise<void> {
    return this.#then("devices", async () => {
      if (background === "plain" || !this.#camera) {
        this.#painted?.stop();
        this.#painted = null;
      } else if (this.#painted) {
        this.#painted.setMode(background);
      } else {
        await this.#paint(this.#camera, background).catch(() => {
          // The plain picture instead of the one that was asked for would be worse than none.
          this.#closeCamera();
          this.#change({ camera: false, cameraTrouble: "failed" });
        });
      }
      this.#change({ background });
    });
  }

  close(): void {
    this.#closed = true;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#list);
    void this.letGo();
    void this.setScreen(false);
    void this.play(null);
  }

  #microphoneIs(on: boolean): void {
    this.#microphone?.setOn(on);
    this.#change({ microphone: on, ...(on ? { microphoneTrouble: null } : {}) });
  }

  #cameraOff(): void {
    this.#closeCamera();
    this.#change({ camera: false });
  }

  /** Whether it is still wanted when it is there: the camera may have been turned off. */
  async #paint(camera: MediaStreamTrack, background: Background): Promise<boolean> {
    const painted = await Painted.start(camera, background);
    if (this.#camera === camera) this.#painted = painted;
    else painted.stop();
    return this.#camera === camera;
  }

  /** The camera as it is, unless it was to be painted over and is not yet. */
  #bare(): MediaStreamTrack | null {
    return this.#state.background === "plain" ? this.#camera : null;
  }

  async #openMicrophone(id: string | null): Promise<boolean> {
    try {
      const microphone = await Microphone.open(id, this.#state.disguise);
      if (this.#closed) return microphone.close(), false;
      // Whoever is muted is so with another device, too, from its first sound on.
      microphone.setOn(this.#wanted.microphone);
      this.#microphone = microphone;
      microphone.onGone(() => {
        if (this.#microphone !== microphone) return;
        microphone.close();
        this.#microphone = null;
        this.#change({ microphone: false, microphoneTrouble: "none" });
      });
      this.#change({ microphoneId: microphone.device, microphoneTrouble: null });
      await this.#list();
      return true;
    } catch (error) {
      this.#change({ microphone: false, microphoneTrouble: this.#why(error) });
      return false;
    }
  }

  async #openCamera(id: string | null): Promise<void> {
    try {
      const video: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24 } };
      if (id) video.deviceId = { exact: id };
      const stream = await navigator.mediaDevices.getUserMedia({ video });
      const camera = stream.getVideoTracks()[0];
      if (!camera) throw new DOMException("no camera", "NotFoundError");
      if (this.#closed || !this.#wanted.camera) return camera.stop();
      this.#camera = camera;
      const { background } = this.#state;
      if (background !== "plain" && !(await this.#paint(camera, background))) return;
      camera.addEventListener("ended", () => {
        if (this.#camera !== camera) return;
        this.#closeCamera();
        this.#change({ camera: false, cameraTrouble: "none" });
      });
      this.#change({ camera: true, cameraId: camera.getSettings().deviceId ?? null, cameraTrouble: null });
      await this.#list();
    } catch (error) {
      this.#closeCamera();
      this.#change({ camera: false, cameraTrouble: this.#why(error) });
    }
  }

  #closeCamera(): void {
    this.#painted?.stop();
    this.#painted = null;
    const camera = this.#camera;
    this.#camera = null;
    camera?.stop();
  }

  #closeScreen(): void {
    this.#shared?.picture.stop();
    this.#shared?.sound?.stop();
    this.#shared = null;
  }

  #why(error: unknown): DeviceTrouble {
    return navigator.mediaDevices ? trouble(error) : "none";
  }

  /** Names of devices are told only after one of them may be used. */
  #list = async (): Promise<void> => {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const of = (kind: MediaDeviceKind) =>
      devices
        .filter((device) => device.kind === kind && device.deviceId)
        .map(({ deviceId, label }) => ({ id: deviceId, label }));
    this.#change({ microphones: of("audioinput"), cameras: of("videoinput") });
  };

  #change(change: Partial<LocalState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  #then(what: Queue, act: () => Promise<void>): Promise<void> {
    this.#queues[what] = this.#queues[what].then(act).catch(() => undefined);
    return this.#queues[what];
  }
}
