// A recorded message, played from a file of this device instead of camera and microphone. The file goes
// nowhere: the browser decodes it, and its sound and pictures are sent like any others.

type Capturing = HTMLVideoElement & {
  captureStream?: () => MediaStream;
  mozCaptureStream?: () => MediaStream;
};

export class Played {
  readonly name: string;
  #video: Capturing = document.createElement("video");
  #url: string;
  #stream: MediaStream | null = null;

  private constructor(file: File) {
    this.name = file.name;
    this.#url = URL.createObjectURL(file);
  }

  static async start(file: File, ended: () => void): Promise<Played> {
    const played = new Played(file);
    const video = played.#video;
    video.playsInline = true;
    video.src = played.#url;
    try {
      await new Promise<void>((resolve, reject) => {
        video.onloadeddata = () => resolve();
        video.onerror = () => reject(new DOMException("not playable", "NotSupportedError"));
      });
      const capture = video.captureStream ?? video.mozCaptureStream;
      if (!capture) throw new DOMException("no capture", "NotSupportedError");
      played.#stream = capture.call(video);
      await video.play();
    } catch (error) {
      played.stop();
      throw error;
    }
    video.onended = ended;
    return played;
  }

  sound(): MediaStreamTrack | null {
    return this.#stream?.getAudioTracks()[0] ?? null;
  }

  picture(): MediaStreamTrack | null {
    return this.#stream?.getVideoTracks()[0] ?? null;
  }

  stop(): void {
    this.#video.onended = null;
    this.#video.pause();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#video.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
  }
}
