// What cannot be, or is over: a sentence that says so, and one that says what to do.
import type { Problem } from "../meeting/model.ts";
import type { PlainKey } from "../strings/index.ts";
import { useLook } from "./hooks.ts";

const TEXTS: Record<Problem, readonly [title: PlainKey, help: PlainKey | "clockWrongHelp"]> = {
  "link-incomplete": ["linkIncompleteTitle", "linkIncompleteHelp"],
  "link-version": ["linkVersionTitle", "linkVersionHelp"],
  "no-webtransport": ["noWebtransportTitle", "noWebtransportHelp"],
  "no-webcodecs": ["noWebcodecsTitle", "noWebcodecsHelp"],
  insecure: ["insecureTitle", "insecureHelp"],
  "no-core": ["noCoreTitle", "noCoreHelp"],
  unreachable: ["unreachableTitle", "unreachableHelp"],
  "wrong-certificate": ["wrongCertificateTitle", "wrongCertificateHelp"],
  "clock-wrong": ["clockWrongTitle", "clockWrongHelp"],
  "room-full": ["roomFullTitle", "roomFullHelp"],
  "relay-full": ["relayFullTitle", "relayFullHelp"],
  pass: ["passTitle", "passHelp"],
  version: ["versionTitle", "versionHelp"],
  "too-slow": ["tooSlowTitle", "tooSlowHelp"],
  lost: ["lostTitle", "lostHelp"],
  fault: ["faultTitle", "faultHelp"],
  denied: ["deniedTitle", "deniedHelp"],
  removed: ["removedTitle", "removedHelp"],
  "in-use": ["inUseTitle", "inUseHelp"],
  ended: ["endedTitle", "endedHelp"],
  left: ["leftTitle", "leftHelp"],
};

/** Those that another try with the same link may mend. */
const AGAIN: readonly Problem[] = [
  "unreachable", "wrong-certificate", "clock-wrong", "room-full", "relay-full", "too-slow", "lost", "fault",
  "denied", "in-use",
];

export function ProblemPage(props: { problem: Problem; again: (() => void) | null; start: () => void }) {
  const { problem, again } = props;
  const { say, tag } = useLook();
  const [title, help] = TEXTS[problem];
  const now = new Intl.DateTimeFormat(tag, { dateStyle: "long", timeStyle: "short" }).format(new Date());
  return (
    <main id="main" class="narrow problem">
      <div role="alert">
        <h1>{say(title)}</h1>
        <p>{help === "clockWrongHelp" ? say(help, { now }) : say(help)}</p>
      </div>
      <div class="row">
        {again && AGAIN.includes(problem) && (
          <button type="button" class="button main" onClick={again}>{say("tryAgain")}</button>
        )}
        {again && problem === "left" && (
          <button type="button" class="button main" onClick={again}>{say("rejoin")}</button>
        )}
        <button type="button" class="button" onClick={props.start}>{say("toStart")}</button>
      </div>
    </main>
  );
}
