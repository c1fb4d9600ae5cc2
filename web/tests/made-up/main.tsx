// The page with a made-up meeting behind it: ?scene=NAME says which state it begins in, and
// &refuse=NAME with which error the browser refuses devices.
import { render } from "preact";
import { LocalMedia } from "../../src/media/local.ts";
import { onLink, takeLink } from "../../src/meeting/address.ts";
import type { Core } from "../../src/meeting/model.ts";
import { App } from "../../src/ui/app.tsx";
import { base, scenes } from "./scenes.ts";
import { MadeUp } from "./session.ts";

const asked = new URLSearchParams(location.search);
const scene = asked.get("scene");
const refuse = asked.get("refuse");
// What the browser has opened, for tests that ask whether it was let go.
const opened: MediaStream[] = [];
Object.assign(globalThis, { opened });
const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await getUserMedia(wanted);
  opened.push(stream);
  return stream;
};
if (refuse) {
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("made up", refuse);
  };
}

const LINK = `${location.origin}/#` + "AwBkZW1vLWRlbW8tZGVtby1kZW1v".repeat(8);

const core: Core = {
  missing: () => null,
  read: async (link) =>
    link.includes("damaged")
      ? { ok: false, problem: "link-incomplete" }
      : { ok: true, kind: "meeting", title: null, relay: "relay.example" },
  make: async ({ relay, cohosts }) =>
    relay === "nonsense"
      ? { ok: false, why: "relay" }
      : {
          ok: true,
          links: {
            host: LINK.replace("#", "#HOST-KEEP-SECRET."),
            cohosts: Array.from({ length: cohosts }, (_, at) => LINK.replace("#", `#COHOST-${at + 1}-KEEP-SECRET.`)),
            meeting: LINK,
          },
        },
  open: async (link, local) => {
    const kind = link.includes("HOST-KEEP") ? ("host" as const) : base.kind;
    const session = new MadeUp({ ...base, kind, ...scenes[scene ?? "preview"] }, local);
    Object.assign(globalThis, { session, local });
    return session;
  },
};

const page = document.getElementById("page");
const link = takeLink();
if (page) render(<App core={core} link={link} onLink={onLink} makeLocal={() => new LocalMedia()} />, page);
