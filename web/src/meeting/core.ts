// The meeting program behind the page: a worker with web/core in it, made when it is first needed. The one that
// has read a link becomes the worker of its meeting.
import type { LinkInfo } from "../../core/pkg/sottovoce.js";
import type { Core, Kind, Links, Local, Made, Read, Session, Wish } from "./model.ts";
import { missing } from "./needs.ts";
import { linkProblem, makeProblem } from "./problems.ts";
import { MeetingSession } from "./session.ts";
import { Core as WorkerCore, Refused } from "./worker.ts";

/** A worker that no meeting has yet. */
let spare: WorkerCore | null = null;

/** What was made here last, so that its host's screen can show it; nothing else remembers it. */
let made: Links | null = null;

function worker(): WorkerCore {
  if (!spare || spare.broken) spare = new WorkerCore();
  return spare;
}

const fault = (error: unknown) => (error instanceof Refused ? error.fault : "internal") as Parameters<typeof linkProblem>[0];

function kindOf({ kind, vigil }: LinkInfo): Kind {
  switch (kind) {
    case "meeting":
    case "vigil":
      return kind;
    case "host":
      return vigil ? "vigil-host" : "host";
    case "co-host":
      return vigil ? "vigil-cohost" : "cohost";
  }
}

/** What stands behind the #: the rest says where the page is from, which no meeting depends on. */
const fragmentOf = (text: string): string => text.trim().replace(/^[^#]*#/, "");

/** Without its port. */
const hostOf = (authority: string): string => authority.replace(/:\d+$/, "");

/** Of this machine, which nobody else reaches. */
const isLocal = (host: string): boolean => /^(localhost$|127\.|\[::1\]$)/.test(host);

/**
 * A link as others can click it: where no authority vouches for the relay, browsers would warn of its own
 * page, so the place that this page is from stands in it, if others reach that.
 */
function clickable(link: string, { relays: [first] }: LinkInfo): string {
  const elsewhere = first && first.hashes.length > 0 && (!isLocal(location.hostname) || isLocal(hostOf(first.authority)));
  return elsewhere ? `${location.origin}${location.pathname}#${fragmentOf(link)}` : link;
}

async function read(link: string): Promise<Read> {
  try {
    const info = await worker().ask("read", fragmentOf(link));
    return { ok: true, kind: kindOf(info), title: info.title ?? null, relay: hostOf(info.relays[0]?.authority ?? "") };
  } catch (error) {
    return { ok: false, problem: linkProblem(fault(error)) };
  }
}

async function make({ title, vigil, cohosts, relay }: Wish): Promise<Made> {
  try {
    const links = await worker().ask("make", { relays: [relay || location.origin], title, vigil, coHosts: cohosts });
    const info = await worker().ask("read", fragmentOf(links.host));
    const [host, meeting, ...coHosts] = [links.host, links.meeting, ...links.coHosts].map((link) => clickable(link, info));
    if (host === undefined || meeting === undefined) throw new Error("no links");
    made = { host, meeting, cohosts: coHosts };
    return { ok: true, links: made };
  } catch (error) {
    return { ok: false, why: makeProblem(fault(error)) };
  }
}

async function open(text: string, local: Local): Promise<Session> {
  const core = worker();
  const info = await core.ask("read", fragmentOf(text));
  spare = null;
  const own = made && fragmentOf(made.host) === fragmentOf(info.link) ? made : null;
  if (!own) made = null;
  const beginning = {
    kind: kindOf(info),
    title: info.title ?? null,
    relays: info.relays.map(({ authority }) => hostOf(authority)),
    // After a removal there is another one, which whoever made the links here has been told.
    link: own?.meeting ?? clickable(info.meeting, info),
    cohostLinks: own?.cohosts ?? [],
  };
  let kept = own;
  const newLink = (link: string): string => {
    const meeting = clickable(link, info);
    if (kept && made === kept) made = kept = { ...kept, meeting };
    return meeting;
  };
  return new MeetingSession(core, info.link, info.bundle, local, beginning, newLink);
}

export const core: Core = { missing, read, make, open };
