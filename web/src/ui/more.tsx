// Everything that is wanted now and then: devices, disguise, windows, a recorded message, keys.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Local, Session, State } from "../meeting/model.ts";
import { Devices } from "./devices.tsx";
import { useNarrow, useSay, useStore } from "./hooks.ts";
import { FullIcon, HandIcon, PlayIcon, ScreenIcon, SmallIcon } from "./icons.tsx";
import { shortcut } from "./keys.ts";
import { LookChoice } from "./look.tsx";
import { Dialog } from "./parts.tsx";
import { SmallWindow, canPictureInPicture } from "./pip.ts";
import type { Pin } from "./tile.tsx";

interface MoreProps {
  session: Session;
  state: State;
  local: Local;
  pin: () => Pin | null;
  close: () => void;
}

export function More({ session, state, local, pin, close }: MoreProps) {
  const say = useSay();
  const media = useStore(local);
  const narrow = useNarrow();
  const full = useFullScreen();
  const file = useRef<HTMLInputElement>(null);
  const mayShare = "getDisplayMedia" in (navigator.mediaDevices ?? {});
  const sends = !state.viewer;
  const self = state.people.find((person) => person.self);
  const then = (act: () => unknown) => () => {
    close();
    // What a browser refuses here it shows by itself.
    void (async () => act())().catch(() => undefined);
  };
  return (
    <Dialog title={say("more")} close={close} class="more">
      <div class="more-buttons">
        {sends && narrow && mayShare && (
          <button type="button" class="button" onClick={then(() => local.setScreen(!media.screen))}>
            <ScreenIcon />
            {media.screen ? say("shareStop") : say("share")}
          </button>
        )}
        {narrow && state.inTheChair && (
          <button type="button" class="button" onClick={then(() => session.raiseHand(!self?.hand))}>
            <HandIcon />
            {self?.hand ? say("handDown") : say("hand")}
          </button>
        )}
        {document.fullscreenEnabled && (
          <button
            type="button"
            class="button"
            onClick={then(() => (full ? document.exitFullscreen() : document.documentElement.requestFullscreen()))}
          >
            <FullIcon />
            {full ? say("fullScreenEnd") : say("fullScreen")}
          </button>
        )}
        {canPictureInPicture() && (
          <button type="button" class="button" onClick={then(() => SmallWindow.open(session, pin))}>
            <SmallIcon />
            {say("pictureInPicture")}
          </button>
        )}
        {sends && (
          <button
            type="button"
            class="button"
            onClick={() => (media.playing ? then(() => local.play(null))() : file.current?.click())}
          >
            <PlayIcon />
            {media.playing ? say("playFileStop", { name: media.playing }) : say("playFile")}
          </button>
        )}
      </div>
      <input
        ref={file}
        type="file"
        accept="video/*,audio/*"
        autocomplete="off"
        hidden
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen) then(() => local.play(chosen))();
        }}
      />
      {sends && <Devices local={local} meter />}
      <LookChoice />
      {sends && <Keys />}
    </Dialog>
  );
}

function Keys() {
  const say = useSay();
  const rows: readonly (readonly [string, string])[] = [
    [say("keySpace"), say("keyTalk")],
    [shortcut("microphone"), say("microphone")],
    [shortcut("camera"), say("camera")],
    [shortcut("screen"), say("share")],
    [shortcut("hand"), say("hand")],
    [shortcut("chat"), say("chat")],
    [shortcut("people"), say("peopleShow")],
  ];
  return (
    <details class="keys">
      <summary>{say("keys")}</summary>
      <dl>
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt><kbd>{key}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function useFullScreen(): boolean {
  const [full, setFull] = useState(document.fullscreenElement !== null);
  useEffect(() => {
    const take = () => setFull(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", take);
    return () => document.removeEventListener("fullscreenchange", take);
  }, []);
  return full;
}
