// Where the worker begins: it loads web/core, answers questions about links, and then is one meeting's, until
// its end (docs/adr/009-one-worker-holds-the-session.md).
import { initSync, meetingWords, newMeeting, readLink } from "../../core/pkg/sottovoce.js";
import { Meeting, type Post } from "./meeting.ts";
import type { Answers, FromWorker, Question, ToWorker } from "./messages.ts";

/** Put in by the build. */
declare const CORE_HASH: string;

interface Scope {
  close(): void;
  readonly location: Location;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  onmessageerror: (() => void) | null;
}
const scope = globalThis as unknown as Scope;
const post = scope.postMessage.bind(scope);

async function load(): Promise<void> {
  const response = await fetch(new URL("core.wasm", scope.location.href), { integrity: CORE_HASH });
  initSync({ module: await WebAssembly.compile(await response.arrayBuffer()) });
}

const loaded = load();
// Whoever asks is told; there may be nobody yet.
loaded.catch(() => undefined);

let meeting: Meeting | null = null;

/** After a meeting there is nothing for this worker to do. It ends by itself: whoever is ended from outside may be
 * in the middle of something. */
const say: Post = (message, transfer = []) => {
  post(message, transfer);
  if (message.kind === "closed") scope.close();
};

scope.onmessage = async ({ data }) => {
  try {
    await loaded;
  } catch {
    const message: FromWorker = "number" in data
      ? { kind: "refused", number: data.number, fault: "no-core" }
      : { kind: "fault", why: "no-core" };
    return post(message);
  }
  if ("number" in data) return answer(data);
  try {
    if (data.do === "join") meeting ??= new Meeting(say, data);
    else meeting?.handle(data);
  } catch {
    post({ kind: "fault", why: "fault" });
  }
};
scope.onmessageerror = () => post({ kind: "fault", why: "fault" });

function answer(question: Question): void {
  const { number } = question;
  try {
    post({ kind: "answer", number, answer: find(question) });
  } catch (error) {
    post({ kind: "refused", number, fault: error instanceof Error ? error.message : "internal" });
  }
}

function find(question: Question): Answers[keyof Answers]["answer"] {
  switch (question.do) {
    case "read":
      return readLink(question.ask);
    case "make":
      return newMeeting(question.ask);
    case "words": {
      const words = meetingWords(question.ask);
      if (!words) throw new Error("internal");
      return [...words];
    }
  }
}
