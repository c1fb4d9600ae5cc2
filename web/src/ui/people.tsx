// Who is in the meeting, by the group's own tree.
import { useState } from "preact/hooks";
import type { Person, Session, State } from "../meeting/model.ts";
import type { Say } from "../strings/index.ts";
import { useLook } from "./hooks.ts";
import { HandIcon, MicrophoneIcon, MicrophoneOffIcon, WordsIcon } from "./icons.tsx";
import { Panel } from "./panel.tsx";
import { Ask } from "./parts.tsx";
import { Initial, states } from "./tile.tsx";

function role({ rank }: Person, say: Say): string | null {
  if (rank === null) return null;
  return rank === 0 ? say("roleHost") : say("roleCohost");
}

/** In a vigil nobody knows how many watch: those who are counted speak. */
export function counted({ kind, people }: State): "people" | "speakers" | "alone" {
  if (kind.startsWith("vigil")) return "speakers";
  return people.length === 1 ? "alone" : "people";
}

export function People(props: { session: Session; state: State; close: () => void; showWords: () => void }) {
  const { session, state } = props;
  const { say } = useLook();
  const [removing, setRemoving] = useState<Person | null>(null);
  return (
    <Panel name="people" title={say(counted(state), { count: state.people.length })} close={props.close}>
      <button type="button" class="button" onClick={props.showWords}>
        <WordsIcon />
        {say("words")}
      </button>
      <ul class="people" tabIndex={0} aria-label={say("peopleShow")}>
        {state.people.map((person) => (
          <PersonRow key={person.id} person={person} remove={state.inTheChair ? setRemoving : null} />
        ))}
      </ul>
      {removing && (
        <Ask
          question={say("removeAsk", { name: removing.name })}
          help={say("removeHelp")}
          yes={say("remove")}
          act={() => session.remove(removing.id)}
          close={() => setRemoving(null)}
        />
      )}
    </Panel>
  );
}

function PersonRow({ person, remove }: { person: Person; remove: ((person: Person) => void) | null }) {
  const { say, tag } = useLook();
  const about = [role(person, say), person.self && say("you"), ...states(person, say)].filter(Boolean) as string[];
  return (
    <li class={`person ${person.speaking ? "speaking" : ""}`}>
      <Initial name={person.name} id={person.id} />
      <span class="person-words">
        <span><bdi>{person.name}</bdi></span>
        {about.length > 0 && (
          <span class="help">{new Intl.ListFormat(tag, { type: "unit" }).format(about)}</span>
        )}
      </span>
      {person.hand && <HandIcon />}
      {person.muted ? <MicrophoneOffIcon /> : <MicrophoneIcon />}
      {remove && !person.self && person.rank !== 0 && (
        <button
          type="button"
          class="button small"
          aria-label={`${say("remove")}: ${person.name}`}
          onClick={() => remove(person)}
        >
          {say("remove")}
        </button>
      )}
    </li>
  );
}
