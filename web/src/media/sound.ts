// The microphone's way: device, level meter, and the disguise where it is wanted. What comes out is the
// track that a session may send; the plain voice has no other way out while the disguise is on.

export class Microphone {
  #stream: MediaStream;
  #context = new AudioContext();
  #source: MediaStreamAudioSourceNode;
  #meter: AnalyserNode;
  #samples = new Float32Array(1024);
  #disguised: { node: AudioWorkletNode; out: MediaStreamAudioDestinationNode } | null = null;
  #on = true;

  private constructor(stream: MediaStream) {
    this.#stream = stream;
    // One made before anybody clicked sleeps; calls on a phone and the like interrupt it.
    this.#context.onstatechange = () => this.#wake();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#meter = this.#context.createAnalyser();
    this.#meter.fftSize = this.#samples.length;
    this.#source.connect(this.#meter);
  }

  static async open(id: string | null, disguise: boolean): Promise<Microphone> {
    const audio: MediaTrackConstraints = {
      channelCount: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
    };
    if (id) audio.deviceId = { exact: id };
    const microphone = new Microphone(await navigator.mediaDevices.getUserMedia({ audio }));
    try {
      await microphone.setDisguise(disguise);
    } catch (error) {
      // A plain voice instead of the disguised one that was asked for would be worse than none.
      microphone.close();
      throw error;
    }
    return microphone;
  }

  get device(): string | null {
    return this.#stream.getAudioTracks()[0]?.getSettings().deviceId ?? null;
  }

  /** Told when the device is pulled out, or taken away by the system. */
  onGone(gone: () => void): void {
    this.#stream.getAudioTracks()[0]?.addEventListener("ended", gone);
  }

  get track(): MediaStreamTrack | null {
    return (this.#disguised?.out.stream ?? this.#stream).getAudioTracks()[0] ?? null;
  }

  /** Off, the device stays open, so that push-to-talk loses no syllable; nothing but silence comes out. */
  setOn(on: boolean): void {
    this.#on = on;
    this.#wake();
    for (const track of this.#stream.getAudioTracks()) track.enabled = on;
  }

  async setDisguise(on: boolean): Promise<void> {
    if (on === (this.#disguised !== null)) return;
    if (!this.#disguised) {
      await this.#context.audioWorklet.addModule(new URL("voice.js", document.baseURI).href);
      const node = new AudioWorkletNode(this.#context, "voice", { channelCount: 1, outputChannelCount: [1] });
      const out = this.#context.createMediaStreamDestination();
      out.channelCount = 1;
      this.#source.connect(node).connect(out);
      this.#disguised = { node, out };
    } else {
      this.#source.disconnect(this.#disguised.node);
      this.#disguised.node.port.postMessage("end");
      for (const track of this.#disguised.out.stream.getTracks()) track.stop();
      this.#disguised = null;
    }
  }

  /** How loud it is, 0 to 1: from -55 dB, about a quiet room, to -10 dB. */
  level(): number {
    if (!this.#on) return 0;
    this.#wake();
    this.#meter.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibel = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    return Math.min(1, Math.max(0, (decibel + 55) / 45));
  }

  #wake(): void {
    if (this.#context.state !== "running" && this.#context.state !== "closed") void this.#context.resume().catch(() => undefined);
  }

  close(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    void this.#context.close();
  }
}
