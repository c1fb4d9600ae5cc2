// Waiting to be let in: what is true of it now, and nothing that sounds nicer.
import type { Local, Session, State, Waiting, WordList } from "../meeting/model.ts";
import type { PlainKey } from "../strings/index.ts";
import { DeviceButtons, Troubles } from "./devices.tsx";
import { useLook } from "./hooks.ts";
import { WordListSelect, Words, listFor } from "./words.tsx";
import { useState } from "preact/hooks";

const TEXTS: Record<Waiting, readonly [title: PlainKey, help: PlainKey | null]> = {
  connecting: ["lobbyConnecting", null],
  asking: ["lobbyAsking", null],
  "host-not-here": ["lobbyHostNotHere", "lobbyHostNotHereHelp"],
  waiting: ["lobbyWaiting", "lobbyWaitingHelp"],
  locked: ["lobbyLocked", "lobbyLockedHelp"],
  full: ["lobbyFull", "lobbyFullHelp"],
};

interface LobbyProps {
  session: Session;
  state: State;
  local: Local;
  waiting: Waiting;
  compare: readonly string[] | null;
}

export function Lobby({ session, state, local, waiting, compare }: LobbyProps) {
  const { say, tag } = useLook();
  const [list, setList] = useState<WordList>(listFor(tag));
  const [title, help] = TEXTS[waiting];
  const own = state.people.find((person) => person.self);
  return (
    <main id="main" class="narrow lobby">
      <div class="breath" aria-hidden="true"><span /><span /><span /></div>
      <div role="status">
        <h1>{say(title)}</h1>
        {help && <p>{say(help)}</p>}
      </div>
      {own && <p class="quiet">{say("lobbyAs", { name: own.name })}</p>}
      {compare && (
        <section class="card" aria-labelledby="compare-title">
          <h2 id="compare-title">{say("compareTitle")}</h2>
          <Words words={compare} list={list} />
          <p>{say("compareHelp")}</p>
          <WordListSelect
            value={list}
            set={(next) => {
              setList(next);
              session.wordList(next);
            }}
          />
        </section>
      )}
      <div class="row">
        {!state.viewer && <DeviceButtons local={local} />}
        <button type="button" class="button" onClick={() => session.leave()}>{say("leave")}</button>
      </div>
      {!state.viewer && <Troubles local={local} />}
    </main>
  );
}
