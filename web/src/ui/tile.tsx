// One person's place: picture or initial, name, and what is to be known of it now.
import type { Local, Person, Session, Source } from "../meeting/model.ts";
import type { Say } from "../strings/index.ts";
import { useLook } from "./hooks.ts";
import { AlertIcon, HandIcon, MicrophoneOffIcon, PinIcon, PlayIcon, ScreenIcon } from "./icons.tsx";
import { IconButton } from "./parts.tsx";
import { Picture } from "./picture.tsx";
import { SelfPicture } from "./self.tsx";

export interface Pin {
  readonly person: number;
  readonly source: Source;
}

export interface TileProps {
  person: Person;
  source: Source;
  session: Session;
  local: Local;
  large: boolean;
  pinned: boolean;
  /** Can be reached with Tab; the others by arrow keys from it. */
  reachable: boolean;
  pin: (pin: Pin | null) => void;
}

export function states(person: Person, say: Say): string[] {
  const all: (string | false)[] = [
    !person.here && say("stateAway"),
    person.speaking && say("stateSpeaking"),
    person.muted && say("stateMuted"),
    person.hand && say("stateHand"),
    person.playing && say("statePlaying"),
    person.screen && say("stateScreen"),
    !person.camera && !person.playing && say("stateCameraOff"),
    person.doubt === "unsigned" && say("stateUnsigned"),
    person.doubt === "forged" && say("stateForged"),
  ];
  return all.filter((state) => state !== false);
}

export function Initial({ name, id }: { name: string; id: number }) {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name);
  return <span class={`initial tone-${id % 6}`} aria-hidden="true">{first?.segment ?? ""}</span>;
}

export function Tile(props: TileProps) {
  const { person, source, session, local, large, pinned } = props;
  const { say, tag } = useLook();
  const camera = source === "camera";
  const name = camera ? person.name : say("screenOf", { name: person.name });
  const told = camera ? states(person, say) : [];
  const list = new Intl.ListFormat(tag, { type: "unit" }).format([name, ...told]);
  const picture = camera ? person.camera || person.playing : person.screen;
  const speaking = camera && person.speaking;
  return (
    <li
      class={`tile ${speaking ? "speaking" : ""} ${person.here ? "" : "away"} ${camera ? "" : "shows-screen"}`}
      aria-label={list}
    >
      {picture && person.self && camera && <SelfPicture local={local} />}
      {picture && !(person.self && camera) && (
        <Picture session={session} person={person.id} source={source} large={large} />
      )}
      {!picture && <Initial name={person.name} id={person.id} />}
      <div class="tile-foot" aria-hidden="true">
        {!camera && <ScreenIcon />}
        {camera && person.hand && <span class="hand-up"><HandIcon /></span>}
        {camera && person.muted && <MicrophoneOffIcon />}
        {camera && person.playing && <PlayIcon />}
        {person.doubt !== "none" && <span class="doubt"><AlertIcon /></span>}
        <bdi class="tile-name">{person.name}</bdi>
        {person.self && camera && <span class="tile-you">({say("you")})</span>}
      </div>
      <PinButton {...props} name={name} pinned={pinned} />
    </li>
  );
}

function PinButton(props: TileProps & { name: string }) {
  const { say } = useLook();
  const { person, source, pinned, reachable } = props;
  return (
    <div class="pin-place" data-pin={`${person.id}-${source}`}>
      <IconButton
        class="pin"
        icon={PinIcon}
        look={pinned ? "on" : "plain"}
        label={pinned ? say("unpinName", { name: props.name }) : say("pinName", { name: props.name })}
        tabIndex={reachable ? 0 : -1}
        onClick={() => props.pin(pinned ? null : { person: person.id, source })}
      />
    </div>
  );
}
