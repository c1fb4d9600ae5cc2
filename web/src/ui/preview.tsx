// Before joining: what the others will see and hear, under which name, and what the relay will not.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Local, Session, State } from "../meeting/model.ts";
import { DeviceButtons, Devices, Troubles } from "./devices.tsx";
import { useSay, useStore } from "./hooks.ts";
import { AlertIcon } from "./icons.tsx";
import { Meter } from "./parts.tsx";
import { SelfPicture } from "./self.tsx";

/** Letters of a name on a screen: as many as the meeting's format lets through. */
export const NAME_LETTERS = 64;

export function Preview({ session, state, local }: { session: Session; state: State; local: Local }) {
  const say = useSay();
  const [speaks, setSpeaks] = useState(state.kind !== "vigil");
  const onlyWatch = () => {
    void local.letGo();
    setSpeaks(false);
  };
  return (
    <main id="main" class="preview">
      <div class="preview-words">
        <h1>{state.title ?? say("previewTitle")}</h1>
        <p class="promise">{say(state.kind.startsWith("vigil") ? "previewPromiseVigil" : "previewPromise")}</p>
        {state.kind.endsWith("cohost") && <p>{say("previewCohost")}</p>}
        {(state.kind === "host" || state.kind === "vigil-host") && <p>{say("previewHost")}</p>}
        {state.kind.startsWith("vigil") && (
          <p class="vigil-notice"><AlertIcon /><strong>{say("vigilNotice")}</strong></p>
        )}
        <p class="help">{say("previewHistory")}</p>
      </div>
      {speaks ? (
        <Speaker session={session} state={state} local={local} onlyWatch={onlyWatch} />
      ) : (
        <Viewer session={session} speak={() => setSpeaks(true)} />
      )}
    </main>
  );
}

function Viewer({ session, speak }: { session: Session; speak: () => void }) {
  const say = useSay();
  return (
    <div class="preview-form">
      <p>{say("previewViewer")}</p>
      <div class="row">
        <button type="button" class="button main" onClick={() => session.join("", false)}>{say("previewWatch")}</button>
        <button type="button" class="button" onClick={speak}>{say("previewSpeak")}</button>
      </div>
    </div>
  );
}

function Speaker(props: { session: Session; state: State; local: Local; onlyWatch: () => void }) {
  const { session, state, local } = props;
  const say = useSay();
  const media = useStore(local);
  const id = useId();
  const [name, setName] = useState("");
  const [missing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void local.setMicrophone(true);
    void local.setCamera(true);
  }, [local]);
  const holds = state.kind !== "meeting" && state.kind !== "vigil";
  const join = (event: Event) => {
    event.preventDefault();
    if (!name.trim()) {
      setMissing(true);
      input.current?.focus();
      return;
    }
    session.join(name.trim(), true);
  };
  return (
    <>
      <section class="preview-picture" aria-label={say("camera")}>
        <div class="preview-frame">
          {media.camera ? <SelfPicture local={local} /> : <p>{say("previewCameraOff")}</p>}
          <div class="preview-buttons">
            <DeviceButtons local={local} />
          </div>
        </div>
        <Meter label={say("level")} read={() => local.level()} />
        <Troubles local={local} />
      </section>
      <form class="preview-form" onSubmit={join} noValidate autocomplete="off">
        <div class="field">
          <label for={id}>{say("previewName")}</label>
          <input
            id={id}
            ref={input}
            dir="auto"
            maxLength={NAME_LETTERS}
            autocomplete="off"
            spellcheck={false}
            value={name}
            required
            aria-invalid={missing}
            aria-describedby={`${id}-help`}
            onInput={(event) => {
              setName(event.currentTarget.value);
              setMissing(false);
            }}
          />
          <p id={`${id}-help`} class={missing ? "wrong" : "help"}>
            {missing ? say("previewNameMissing") : say("previewNameHelp")}
          </p>
        </div>
        <div class="row">
          <button type="submit" class="button main">{holds ? say("previewJoin") : say("previewKnock")}</button>
          <button
            type="button"
            class="button"
            onClick={() => void local.letGo()}
          >
            {say("previewAllOff")}
          </button>
          {state.kind === "vigil" && (
            <button type="button" class="button" onClick={props.onlyWatch}>{say("previewOnlyWatch")}</button>
          )}
        </div>
        <Devices local={local} />
      </form>
    </>
  );
}
