// Inside a meeting: people, what opens beside them, what one does.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Local, Session, State } from "../meeting/model.ts";
import { Chat } from "./chat.tsx";
import { Controls } from "./controls.tsx";
import { Troubles } from "./devices.tsx";
import { useLook, useMedia, useNarrow, useSay, useScreenOn, useStore } from "./hooks.ts";
import { Host } from "./host.tsx";
import { LockIcon, WordsIcon } from "./icons.tsx";
import { useKeys } from "./keys.ts";
import { More } from "./more.tsx";
import { Banners, Toasts } from "./notices.tsx";
import type { PanelName } from "./panel.tsx";
import { Ask, IconButton } from "./parts.tsx";
import { People, counted } from "./people.tsx";
import { Stage } from "./stage.tsx";
import type { Pin } from "./tile.tsx";
import { WordsDialog } from "./words.tsx";

/** For who does not see the tiles: whose hand is up. */
function Hands({ state }: { state: State }) {
  const { say, tag } = useLook();
  const names = state.people.filter(({ hand, self }) => hand && !self).map(({ name }) => name);
  const list = new Intl.ListFormat(tag, { type: "unit" }).format(names);
  return <p class="unseen" role="status">{names.length > 0 && say("handsUp", { names: list })}</p>;
}

export function Meeting({ session, state, local }: { session: Session; state: State; local: Local }) {
  const say = useSay();
  const media = useStore(local);
  const narrow = useNarrow();
  // Who has no pointer that hovers has a screen to touch, and mostly no space bar.
  const keyboard = useMedia("(any-hover: hover)");
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [dialog, setDialog] = useState<"words" | "more" | "leave" | null>(null);
  const [pin, setPin] = useState<Pin | null>(null);
  const [read, setRead] = useState(0);
  const [talking, setTalking] = useState(false);
  const main = useRef<HTMLElement>(null);
  const self = state.people.find((person) => person.self);

  const newest = state.chat.at(-1)?.id ?? 0;
  useEffect(() => {
    if (panel === "chat") setRead(newest);
  }, [panel, newest]);
  const unread = state.chat.filter(({ id, mine }) => id > read && !mine).length;

  // So that the space bar speaks at once, and a screen reader begins here.
  useEffect(() => main.current?.focus(), []);
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, []);

  useScreenOn();

  const toggle = (name: PanelName) => setPanel((open) => (open === name ? null : name));
  useKeys(
    (act) => {
      if (act === "people") return toggle("people");
      if (state.viewer) return;
      if (act === "chat") return toggle("chat");
      if (act === "microphone") void local.setMicrophone(!media.microphone);
      if (act === "camera") void local.setCamera(!media.camera);
      if (act === "screen") void local.setScreen(!media.screen);
      if (act === "hand") session.raiseHand(!self?.hand);
    },
    (on) => {
      // Who is heard already is not muted by letting the bar go.
      if (state.viewer || (on && media.microphone) || (!on && !talking)) return;
      setTalking(on);
      void local.setMicrophone(on);
    },
  );

  const close = () => setPanel(null);
  const told = talking ? "talking" : media.microphone ? "heard" : keyboard ? "mutedTalk" : "muted";
  const sends = state.line !== "lost" && state.chair !== "stopped";
  const covered = narrow && panel !== null;
  return (
    <div class={`meeting ${panel ? "with-panel" : ""}`}>
      <header class="meeting-head">
        <h1>{state.title ?? say("appName")}</h1>
        {state.locked && <span class="locked"><LockIcon /><span>{say("locked")}</span></span>}
        <span class="count">{say(counted(state), { count: state.people.length })}</span>
        <IconButton icon={WordsIcon} label={say("words")} words={say("words")} class="head-words" onClick={() => setDialog("words")} />
      </header>
      <Banners session={session} state={state} showHost={state.inTheChair && panel !== "host" ? () => setPanel("host") : null} />
      <main id="main" ref={main} tabIndex={-1} class="meeting-main">
        <div class="meeting-stage" inert={covered}>
          <Stage session={session} state={state} local={local} pin={pin} setPin={setPin} />
          {!state.viewer && (
            <>
              <p class="talk" role="status">{sends && say(told)}</p>
              <p class="unseen" role="status">{say(media.camera ? "seen" : "previewCameraOff")}</p>
            </>
          )}
          <Hands state={state} />
        </div>
        {panel === "chat" && <Chat session={session} state={state} close={close} />}
        {panel === "people" && (
          <People session={session} state={state} close={close} showWords={() => setDialog("words")} />
        )}
        {panel === "host" && state.inTheChair && <Host session={session} state={state} close={close} />}
      </main>
      <Toasts state={state} />
      <Troubles local={local} />
      <Controls
        session={session}
        state={state}
        local={local}
        self={self}
        panel={panel}
        unread={unread}
        toggle={toggle}
        more={() => setDialog("more")}
        leave={() => (state.inTheChair ? setDialog("leave") : session.leave())}
      />
      {dialog === "words" && <WordsDialog session={session} close={() => setDialog(null)} />}
      {dialog === "more" && (
        <More session={session} state={state} local={local} pin={() => pin} close={() => setDialog(null)} />
      )}
      {dialog === "leave" && (
        <Ask question={say("leaveAsk")} help={say("leaveHelp")} yes={say("leave")} act={() => session.leave()} close={() => setDialog(null)}>
          <button type="button" class="button danger" onClick={() => session.endForAll()}>{say("endForAll")}</button>
        </Ask>
      )}
    </div>
  );
}
