// A small window of the browser's own, over other programs, with whoever is large or speaks.
import type { PersonId, Session, Source, State, Stop } from "../meeting/model.ts";
import { drawOn } from "./picture.tsx";
import type { Pin } from "./tile.tsx";
import { focusOf } from "./stage.tsx";

export function canPictureInPicture(): boolean {
  return document.pictureInPictureEnabled === true;
}

function target(state: State, pin: Pin | null, before: Pin | null): Pin | null {
  const focus = focusOf(state, pin);
  if (focus) return focus;
  const others = state.people.filter((person) => !person.self && person.camera);
  const person =
    others.find(({ speaking }) => speaking) ?? others.find(({ id }) => id === before?.person) ?? others[0];
  return person ? { person: person.id, source: "camera" } : null;
}

export class SmallWindow {
  #canvas = document.createElement("canvas");
  #video = document.createElement("video");
  #shown: Pin | null = null;
  #stopDrawing: Stop | null = null;
  #unsubscribe: Stop;

  private constructor(
    private session: Session,
    private pin: () => Pin | null,
  ) {
    this.#canvas.width = 640;
    this.#canvas.height = 360;
    this.#canvas.getContext("2d", { alpha: false });
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = this.#canvas.captureStream(25);
    this.#unsubscribe = session.subscribe(() => this.#follow());
    this.#follow();
  }

  static async open(session: Session, pin: () => Pin | null): Promise<void> {
    const small = new SmallWindow(session, pin);
    small.#video.addEventListener("leavepictureinpicture", () => small.#close());
    try {
      await small.#video.play();
      await small.#video.requestPictureInPicture();
    } catch {
      small.#close();
    }
  }

  #follow(): void {
    const state = this.session.state();
    if (state.phase.at !== "in") return this.#close();
    const next = target(state, this.pin(), this.#shown);
    if (next?.person === this.#shown?.person && next?.source === this.#shown?.source) return;
    this.#stopDrawing?.();
    this.#shown = next;
    this.#stopDrawing = next ? this.#draw(next.person, next.source) : null;
  }

  #draw(person: PersonId, source: Source): Stop {
    return drawOn(this.#canvas, this.session, person, source, false);
  }

  #close(): void {
    this.#unsubscribe();
    this.#stopDrawing?.();
    this.#stopDrawing = null;
    this.#video.srcObject = null;
    if (document.pictureInPictureElement === this.#video) void document.exitPictureInPicture();
  }
}
