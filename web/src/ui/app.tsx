// Which screen is shown. A link lives in this program's memory for as long as it is needed, and nowhere else.
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Core, Local, Problem, Session } from "../meeting/model.ts";
import { LookChoice, WithLook } from "./look.tsx";
import { useSay, useStore } from "./hooks.ts";
import { Lobby } from "./lobby.tsx";
import { Meeting } from "./meeting.tsx";
import { Preview } from "./preview.tsx";
import { ProblemPage } from "./problem.tsx";
import { Start } from "./start.tsx";

type View =
  | { at: "start" }
  | { at: "opening" }
  | { at: "problem"; problem: Problem }
  | { at: "session"; session: Session; local: Local };

export interface AppProps {
  core: Core;
  /** With which the page was opened. */
  link: string | null;
  /** Called with each link that is pasted into the address bar later. */
  onLink: (took: (link: string) => void) => void;
  makeLocal: () => Local;
}

export function App(props: AppProps) {
  return (
    <WithLook>
      <Screens {...props} />
    </WithLook>
  );
}

function Screens({ core, link: first, onLink, makeLocal }: AppProps) {
  const [view, setView] = useState<View>({ at: first ? "opening" : "start" });
  const [link, setLink] = useState(first);
  const [tries, setTries] = useState(0);
  const open = useCallback((next: string) => {
    setLink(next);
    setTries((before) => before + 1);
  }, []);
  useEffect(() => onLink(open), []);
  useEffect(() => {
    if (link === null) return;
    let wanted = true;
    let local: Local | null = null;
    let session: Session | null = null;
    const go = async () => {
      const missing = core.missing();
      if (missing) return setView({ at: "problem", problem: missing });
      const read = await core.read(link);
      if (!wanted) return;
      if (!read.ok) return setView({ at: "problem", problem: read.problem });
      local = makeLocal();
      session = await core.open(link, local);
      if (wanted) setView({ at: "session", session, local });
      else leave();
    };
    const leave = () => {
      session?.leave();
      local?.close();
    };
    go().catch(() => wanted && setView({ at: "problem", problem: "no-core" }));
    return () => {
      wanted = false;
      leave();
    };
  }, [link, tries]);
  const start = () => {
    setLink(null);
    setView({ at: "start" });
  };
  const again = link === null ? null : () => open(link);
  switch (view.at) {
    case "opening":
      return <Page><main id="main" class="narrow" aria-busy="true" /></Page>;
    case "start":
      return <Page><Start core={core} open={open} /></Page>;
    case "problem":
      return <Page><ProblemPage problem={view.problem} again={again} start={start} /></Page>;
    case "session":
      return <InSession {...view} again={again} start={start} />;
  }
}

function InSession(props: { session: Session; local: Local; again: (() => void) | null; start: () => void }) {
  const { session, local } = props;
  const state = useStore(session);
  const { phase } = state;
  const ended = phase.at === "ended";
  useEffect(() => {
    if (ended) local.close();
  }, [ended, local]);
  switch (phase.at) {
    case "preview":
      return <Page><Preview session={session} state={state} local={local} /></Page>;
    case "knocking":
      return <Page><Lobby session={session} state={state} local={local} waiting={phase.waiting} compare={phase.compare} /></Page>;
    case "in":
      return <Meeting session={session} state={state} local={local} />;
    case "ended":
      return <Page><ProblemPage problem={phase.problem} again={props.again} start={props.start} /></Page>;
  }
}

/** What stands around every screen but the meeting itself. */
function Page({ children }: { children: preact.ComponentChildren }) {
  const say = useSay();
  return (
    <div class="page">
      <a class="skip" href="#main" onClick={skip}>{say("skip")}</a>
      <header class="page-head">
        <span class="brand">{say("appName")}</span>
        <LookChoice hideLabels />
      </header>
      {children}
    </div>
  );
}

/** Without the address bar: what stands behind the # there is read as a link. */
function skip(event: Event): void {
  event.preventDefault();
  const main = document.getElementById("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}
