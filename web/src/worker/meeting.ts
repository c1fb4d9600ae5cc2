// A meeting in its worker: carries bytes between web/core and the network, frames between it and the codecs,
// and tells the page what is for people to know. Nothing is decided here that web/core decides.
import { type Out, Session } from "../../core/pkg/sottovoce.js";
import { type Encoded, type Heard, SCREEN_SOUND, SOUND } from "../meeting/media.ts";
import type { Source } from "../meeting/model.ts";
import { Receivers } from "../receiving/receivers.ts";
import { Senders } from "../sending/senders.ts";
import { Line } from "./line.ts";
import { Listening } from "./listening.ts";
import type { FromWorker, Told, ToWorker } from "./messages.ts";

/** How often it is looked whether the tree has changed without anybody coming or going, and how the line holds. */
const LOOK_MS = 5000;

/** Of what is heard, so much made up since nothing came, or not in time, says that the line is poor. */
const POOR = 0.08;

/** Newcomers who come together are served by one key frame. */
const KEYFRAME_MS = 2000;

/** Pictures on their way to the page that it has not drawn: a page that is busy is not given more. */
const UNDRAWN = 2;

/** Longer than anything that leaving waits for. */
const LATER_MS = 5000;

/** After these the tree may be another one. */
const ROSTER: readonly Out["kind"][] = ["inside", "person", "gone", "unheard", "reconnected", "reported", "chair"];

export type Post = (message: FromWorker, transfer?: Transferable[]) => void;

export class Meeting {
  #post: Post;
  #session: Session;
  #lines = new Map<number, Line>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookTimer: ReturnType<typeof setInterval>;
  #line = { missing: 0, poor: false };
  #senders: Senders;
  #receivers: Receivers;
  #listening: Listening;
  #told: Told[] = [];
  #busy = false;
  #ended = false;
  #roster = "";
  #askRoster = false;
  #undrawn = new Map<string, number>();
  #tracks = new Map<number, readonly Heard[]>();
  #pictures: readonly number[] = [];
  #keyframeTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether pictures are sent: in, connected, heard by the chair, and not alone. */
  #allowed = false;
  #may = { inside: false, line: true, chair: true, vigil: false };

  /** Throws what web/core throws. */
  constructor(post: Post, { link, name, speaks, sound }: Extract<ToWorker, { do: "join" }>) {
    this.#post = post;
    this.#session = new Session(performance.now(), link, { name, speaks, tracks: [] });
    this.#senders = new Senders({
      frame: (frame) => this.#send(frame),
      tracks: (tracks) => {
        this.#pictures = tracks.filter(({ codec }) => codec !== "opus").map(({ track }) => track);
        this.#do((session, now) => session.tracks(now, [...tracks]));
      },
      uplink: (state) => this.#post({ kind: "uplink", state }),
      unencodable: (track) => this.#post({ kind: "unsent", what: track === SOUND || track === SCREEN_SOUND ? "sound" : "picture" }),
    });
    this.#senders.allow(false);
    this.#receivers = new Receivers({
      picture: (who, track, picture) => this.#picture(who, track, picture),
      speaking: (who, on) => this.#post({ kind: "speaking", who, on }),
      undecodable: (who, track) => this.#listening.undecodable(who, track),
    }, sound);
    this.#listening = new Listening({
      listen: (who, track, on) => this.#do((session, now) => session.listen(now, who, track, on)),
      show: (who, track, on) => this.#receivers.show(who, track, on),
    });
    this.#lookTimer = setInterval(() => this.#look(), LOOK_MS);
    this.#do(() => undefined);
  }

  handle(message: Exclude<ToWorker, { do: "read" | "make" | "words" | "join" }>): void {
    if (this.#ended) return;
    switch (message.do) {
      case "use":
        return this.#senders.use(message.sources);
      case "standing":
        return this.#do((session, now) => session.show(now, message.standing));
      case "watch":
        return this.#listening.watch(message.who, message.source, message.size);
      case "drawn":
        return this.#drawn(message.who, message.source);
      case "say":
        return this.#say(message.text);
      case "command":
        return this.#do((session, now) => Reflect.apply(session[message.what], session, [now, ...message.with]));
      case "end-for-all":
        // Where nobody would hear of it the host goes alone.
        return this.#do((session, now) => session.endForAll(now) || session.leave(now));
      case "leave":
        return message.now ? this.#leaveNow() : this.#do((session, now) => session.leave(now));
    }
  }

  /** Does something with the session, and all that follows. */
  #do(work: (session: Session, now: number) => void): void {
    if (this.#ended) return;
    try {
      work(this.#session, performance.now());
      if (this.#busy) return;
      this.#busy = true;
      this.#carryAll();
      this.#busy = false;
    } catch {
      // A fault of the module's own leaves it in no state in which it could be asked again.
      this.#end();
      this.#post({ kind: "fault", why: "fault" });
    }
  }

  #carryAll(): void {
    for (;;) {
      for (let out: Out | undefined; !this.#ended && (out = this.#session.poll()) !== undefined; ) {
        this.#carry(out);
      }
      if (this.#ended || !this.#askRoster) break;
      this.#askRoster = false;
      this.#session.who(performance.now());
    }
    if (this.#told.length > 0) this.#post({ kind: "told", outs: this.#told.splice(0) });
    if (this.#ended) return;
    clearTimeout(this.#timer);
    const due = this.#session.deadline();
    if (due === undefined) return;
    this.#timer = setTimeout(() => this.#do((session, now) => session.tick(now)), Math.max(0, due - performance.now()));
  }

  #carry(out: Out): void {
    switch (out.kind) {
      case "connect":
        return void this.#lines.set(out.line, this.#connect(out.line, out.authority, out.hashes));
      case "close":
        return this.#close(out.line);
      case "control":
        return this.#lines.get(out.line)?.control(out.bytes);
      case "datagram":
        return this.#lines.get(out.line)?.datagram(out.bytes);
      case "open":
        return this.#lines.get(out.line)?.open(out.stream, out.order);
      case "write":
        return this.#lines.get(out.line)?.write(out.stream, out.bytes);
      case "finish":
        return this.#lines.get(out.line)?.finish(out.stream);
      case "reset":
        return this.#lines.get(out.line)?.reset(out.stream);
      case "stop":
        return this.#lines.get(out.line)?.stop(out.stream);
      case "frame":
        return this.#receivers.frame(out.who, out.track, out);
      case "roster": {
        const roster = JSON.stringify(out.members);
        if (roster !== this.#roster) this.#told.push(out);
        this.#roster = roster;
        return;
      }
      default:
        this.#told.push(out);
        this.#askRoster ||= ROSTER.includes(out.kind);
        this.#note(out);
    }
  }

  /** What media have to know of it, too. */
  #note(out: Told): void {
    switch (out.kind) {
      case "inside":
        this.#may.inside = true;
        break;
      case "vigil":
        this.#may.vigil = true;
        break;
      case "reconnecting":
        this.#may.line = false;
        break;
      case "reconnected":
        this.#may.line = true;
        break;
      case "chair-heard":
        if (out.state !== "stale") this.#may.chair = out.state === "well";
        break;
      case "person": {
        const { who, tracks } = out;
        const isNew = !this.#tracks.has(who) || out.returned;
        this.#tracks.set(who, tracks);
        this.#receivers.person(who, tracks);
        this.#listening.person(who, tracks);
        if (isNew) this.#keyframes();
        break;
      }
      case "gone":
        this.#tracks.delete(out.who);
        this.#listening.gone(out.who);
        this.#receivers.gone(out.who);
        break;
      case "standing":
        this.#listening.muted(out.who, out.muted);
        break;
      case "track-ended":
        this.#receivers.ended(out.who, out.track);
        break;
      case "slow":
        this.#senders.slow(out.track);
        break;
      case "over":
        void this.#over();
        break;
      default:
    }
    this.#allow();
  }

  #connect(line: number, authority: string, hashes: readonly Uint8Array[]): Line {
    return new Line(authority, hashes, {
      connected: () => {
        this.#post({ kind: "connected" });
        this.#do((session, now) => session.connected(now, line));
      },
      lost: (code) => {
        this.#lines.delete(line);
        this.#do((session, now) => session.lost(now, line, code));
      },
      failed: () => {
        this.#lines.delete(line);
        this.#do((session, now) => session.failed(now, line));
      },
      control: (bytes) => this.#do((session, now) => session.control(now, line, bytes)),
      datagram: (bytes) => this.#do((session, now) => session.datagram(now, line, bytes)),
      group: (stream, bytes) => this.#do((session, now) => session.group(now, line, stream, bytes)),
      groupOver: (stream) => this.#do((session, now) => session.groupOver(now, line, stream)),
      wrote: (stream) => this.#do((session, now) => session.wrote(now, line, stream)),
      stopped: (stream) => this.#do((session, now) => session.stopped(now, line, stream)),
    });
  }

  #closing = new Set<Promise<void>>();

  #close(number: number): void {
    const line = this.#lines.get(number);
    if (!line) return;
    this.#lines.delete(number);
    const closing = line.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #send({ track, timestamp, keyframe, duration, bytes }: Encoded): void {
    this.#do((session, now) => session.send(now, track, timestamp, keyframe, duration, bytes));
  }

  #say(text: string): void {
    let went = false;
    this.#do((session, now) => void (went = session.say(now, text)));
    this.#post({ kind: "spoke", text, went });
  }

  #picture(who: number, track: number, picture: VideoFrame): void {
    const source = this.#listening.came(who, track);
    const name = `${who} ${source}`;
    const undrawn = this.#undrawn.get(name) ?? 0;
    if (source === null || undrawn >= UNDRAWN) return picture.close();
    this.#undrawn.set(name, undrawn + 1);
    this.#post({ kind: "picture", who, source, picture }, [picture]);
  }

  #drawn(who: number, source: Source): void {
    const name = `${who} ${source}`;
    const undrawn = (this.#undrawn.get(name) ?? 0) - 1;
    if (undrawn > 0) this.#undrawn.set(name, undrawn);
    else this.#undrawn.delete(name);
  }

  #look(): void {
    if (!this.#may.inside) return;
    this.#do((session, now) => session.who(now));
    const { missing, voices } = this.#receivers;
    const poor = missing - this.#line.missing > LOOK_MS * voices * POOR;
    if (poor !== this.#line.poor) this.#post({ kind: "downlink", poor });
    this.#line = { missing, poor };
  }

  /** Nothing is encoded that nobody sees. Who watches a vigil is unknown. */
  #allow(): void {
    const { inside, line, chair, vigil } = this.#may;
    const allowed = inside && line && chair && (vigil || this.#tracks.size > 0);
    if (allowed === this.#allowed) return;
    this.#allowed = allowed;
    this.#senders.allow(allowed);
    if (!allowed && !this.#ended) this.#session.pause(performance.now());
  }

  #keyframes(): void {
    this.#keyframeTimer ??= setTimeout(() => {
      this.#keyframeTimer = undefined;
      for (const track of this.#pictures) this.#senders.keyframe(track);
    }, KEYFRAME_MS);
  }

  /** What leaving waits for is skipped: the others are told, and that is all. */
  #leaveNow(): void {
    this.#do((session, now) => {
      session.leave(now);
      session.tick(now + LATER_MS);
      session.tick(now + 2 * LATER_MS);
    });
  }

  async #over(): Promise<void> {
    // What else the session says now is to close connections, and is done before this goes on.
    await Promise.resolve();
    if (this.#ended) return;
    this.#end();
    await Promise.allSettled(this.#closing);
    // Keys are wiped.
    this.#session.free();
    this.#post({ kind: "closed" });
  }

  /** Nothing more is asked of the module. */
  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearInterval(this.#lookTimer);
    clearTimeout(this.#keyframeTimer);
    this.#senders.close();
    this.#receivers.close();
    for (const number of [...this.#lines.keys()]) this.#close(number);
  }
}
