// One's own picture, as it is sent but mirrored, as people know themselves.
import { useEffect, useRef } from "preact/hooks";
import type { Local } from "../meeting/model.ts";
import { useStore } from "./hooks.ts";

export function SelfPicture({ local }: { local: Local }) {
  const state = useStore(local);
  const video = useRef<HTMLVideoElement>(null);
  const track = local.picture();
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = track ? new MediaStream([track]) : null;
    // Refused only where the element is gone already.
    if (track) element.play().catch(() => undefined);
  }, [track]);
  // A file is no mirror: text in it has to stay readable.
  return <video ref={video} class={`picture ${state.playing ? "" : "mirrored"}`} muted playsInline aria-hidden="true" />;
}
