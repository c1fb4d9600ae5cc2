// The start page: making a meeting's links on this device, and joining with a link that was given.
import { useId, useState } from "preact/hooks";
import type { Core, Links } from "../meeting/model.ts";
import type { PlainKey } from "../strings/index.ts";
import { useSay } from "./hooks.ts";
import { Choice, CopyField } from "./parts.tsx";

/** Letters of a title on a screen. */
const TITLE_LETTERS = 64;

/** Whoever was in a meeting is not any more, and should know why. */
const wasReloaded = (): boolean =>
  performance.getEntriesByType("navigation").some((entry) => (entry as PerformanceNavigationTiming).type === "reload");

type Made = { links: Links; vigil: boolean };

export function Start({ core, open }: { core: Core; open: (link: string) => void }) {
  const say = useSay();
  const [made, setMade] = useState<Made | null>(null);
  if (made) return <MadeLinks {...made} open={open} />;
  return (
    <main id="main" class="start">
      <div class="start-lead">
        <h1>{say("startTitle")}</h1>
        <p>{say("startLead")}</p>
        {wasReloaded() && <p role="status"><strong>{say("startReloaded")}</strong></p>}
      </div>
      <MakeForm core={core} done={setMade} />
      <JoinForm open={open} />
    </main>
  );
}

function MakeForm({ core, done }: { core: Core; done: (made: Made) => void }) {
  const say = useSay();
  const id = useId();
  const [title, setTitle] = useState("");
  const [kind, setKind] = useState<"meeting" | "vigil">("meeting");
  const [cohosts, setCohosts] = useState(1);
  const [relay, setRelay] = useState("");
  const [wrong, setWrong] = useState<PlainKey | null>(null);
  const make = async (event: Event) => {
    event.preventDefault();
    const result = await core.make({ title: title.trim(), vigil: kind === "vigil", cohosts, relay: relay.trim() });
    if (result.ok) return done({ links: result.links, vigil: kind === "vigil" });
    setWrong(({ relay: "startBadRelay", title: "startBadTitle", "no-core": "noCoreHelp" } as const)[result.why]);
  };
  return (
    <form class="card" onSubmit={make} autocomplete="off" aria-labelledby={`${id}-head`}>
      <h2 id={`${id}-head`}>{say("startMake")}</h2>
      <p class="quiet">{say("startMakeHelp")}</p>
      <div class="field">
        <label for={`${id}-title`}>{say("startName")}</label>
        <input
          id={`${id}-title`}
          dir="auto"
          autocomplete="off"
          spellcheck={false}
          maxLength={TITLE_LETTERS}
          value={title}
          onInput={(event) => setTitle(event.currentTarget.value)}
        />
      </div>
      <Choice
        label={say("startKind")}
        value={kind}
        set={setKind}
        options={[
          { value: "meeting", label: say("startMeeting"), help: say("startMeetingHelp") },
          { value: "vigil", label: say("startVigil"), help: say("startVigilHelp") },
        ]}
      />
      <details>
        <summary>{say("startMore")}</summary>
        <div class="field">
          <label for={`${id}-cohosts`}>{say("startCohosts")}</label>
          <input
            id={`${id}-cohosts`}
            type="number"
            autocomplete="off"
            min={0}
            max={4}
            value={cohosts}
            onInput={(event) => setCohosts(Math.min(4, Math.max(0, event.currentTarget.valueAsNumber || 0)))}
          />
        </div>
        <div class="field">
          <label for={`${id}-relay`}>{say("startRelay")}</label>
          <input
            id={`${id}-relay`}
            dir="ltr"
            autocomplete="off"
            spellcheck={false}
            value={relay}
            aria-describedby={`${id}-relay-help`}
            onInput={(event) => setRelay(event.currentTarget.value)}
          />
          <p id={`${id}-relay-help`} class="help">{say("startRelayHelp")}</p>
        </div>
      </details>
      <p role="alert" class={wrong ? "wrong" : "unseen"}>{wrong ? say(wrong) : ""}</p>
      <button type="submit" class="button main">{say("startGo")}</button>
    </form>
  );
}

function JoinForm({ open }: { open: (link: string) => void }) {
  const say = useSay();
  const id = useId();
  const [link, setLink] = useState("");
  const join = (event: Event) => {
    event.preventDefault();
    if (link.trim()) open(link);
  };
  return (
    <form class="card" onSubmit={join} autocomplete="off" aria-labelledby={`${id}-head`}>
      <h2 id={`${id}-head`}>{say("joinTitle")}</h2>
      <p class="quiet">{say("joinHelp")}</p>
      <div class="field">
        <label for={id}>{say("joinLink")}</label>
        <input
          id={id}
          dir="ltr"
          autocomplete="off"
          spellcheck={false}
          autocapitalize="off"
          value={link}
          onInput={(event) => setLink(event.currentTarget.value)}
        />
      </div>
      <button type="submit" class="button">{say("joinGo")}</button>
    </form>
  );
}

function MadeLinks({ links, vigil, open }: Made & { open: (link: string) => void }) {
  const say = useSay();
  return (
    <main id="main" class="narrow made">
      <h1>{say("madeTitle")}</h1>
      <CopyField
        label={vigil ? say("madeVigilLink") : say("madeMeeting")}
        help={vigil ? say("madeVigilHelp") : say("madeMeetingHelp")}
        value={links.meeting}
      />
      <CopyField label={say("madeHost")} help={say("madeHostHelp")} value={links.host} secret />
      {links.cohosts.map((link, at) => (
        <CopyField
          key={link}
          label={say("madeCohost", { rank: at + 1 })}
          help={say("madeCohostHelp")}
          value={link}
          secret
        />
      ))}
      <button type="button" class="button main" onClick={() => open(links.host)}>{say("madeEnter")}</button>
    </main>
  );
}
