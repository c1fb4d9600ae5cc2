// A meeting as screens see it: what happens in the worker becomes a `State`, what people do becomes messages
// to it. Before somebody joins, nothing is connected.
import { Player } from "../receiving/player.ts";
import { Capture } from "../sending/capture.ts";
import type { Sources } from "./media.ts";
import type { Commands } from "../worker/messages.ts";
import type { Local, Notice, Picture, PersonId, Session, Source, State, Stop, WordList } from "./model.ts";
import { clockIsWrong } from "./problems.ts";
import { type Beginning, SELF, Story, idOf, whoOf } from "./story.ts";
import { Watching } from "./watching.ts";
import { listOfPage, load, wordsAt } from "./words.ts";
import { Core, type Saying, drop } from "./worker.ts";

/** How long leaving may take before the worker is ended all the same. */
const LEAVING_MS = 4000;

/** What changes sooner after what was drawn is drawn together. */
const DRAWN_MS = 40;

export class MeetingSession implements Session {
  #core: Core;
  #local: Local;
  #link: string;
  #bundle: string;
  #story: Story;
  #listeners = new Set<() => void>();
  #watching = new Watching((person, source, size) => this.#core.send({ do: "watch", who: whoOf(person), source, size }));
  #capture: Capture | null = null;
  #standing = "";
  #player: Player | null = null;
  #five: Promise<readonly number[]> | null = null;
  /** Takes note of another link, and says how others can click it. */
  #newLink: (link: string) => string;
  /** Lets the browser freeze this tab again. */
  #mayFreeze: () => void = () => undefined;
  #stopLocal: Stop;
  #drawn: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  constructor(core: Core, link: string, bundle: string, local: Local, beginning: Beginning, newLink: (link: string) => string) {
    this.#core = core;
    this.#link = link;
    this.#bundle = bundle;
    this.#local = local;
    this.#newLink = newLink;
    this.#story = new Story(beginning);
    this.#stopLocal = local.subscribe(() => this.#localChanged());
    core.listen((saying) => this.#hear(saying));
  }

  state = (): State => this.#story.state;

  subscribe(changed: () => void): Stop {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  watch(person: PersonId, source: Source, large: boolean, show: (picture: Picture) => void): Stop {
    return person === SELF ? () => undefined : this.#watching.watch(person, source, large, show);
  }

  async words(list: WordList): Promise<readonly string[]> {
    this.#five ??= this.#computeWords();
    const [places] = await Promise.all([this.#five, load(list).catch(() => null)]);
    return wordsAt(list, places);
  }

  /** In a worker of its own, ended after it: it takes 64 MiB. */
  async #computeWords(): Promise<readonly number[]> {
    const core = new Core();
    try {
      return await core.ask("words", this.#bundle);
    } catch {
      this.#five = null;
      return [];
    } finally {
      core.end();
    }
  }

  join(name: string, speak: boolean): void {
    if (this.state().phase.at !== "preview") return;
    this.#loadWords(listOfPage());
    this.#story.joins(name, !speak, listOfPage());
    this.#story.localIs(this.#local.state());
    this.#changed();
    addEventListener("pagehide", this.#pageGoes);
    this.#stayAwake();
    void this.#begin(name, speak);
  }

  /** A tab that is hidden and silent may be frozen, its worker, too; unless it holds a lock. A host's would then be
   * gone for all the others. */
  #stayAwake(): void {
    const held = () => new Promise<void>((release) => {
      this.#mayFreeze = release;
      if (this.state().phase.at === "ended") release();
    });
    navigator.locks?.request("meeting", { mode: "shared" }, held).catch(() => undefined);
  }

  async #begin(name: string, speaks: boolean): Promise<void> {
    // Without a way out for sound a meeting can still be seen, read and spoken in.
    this.#player = await Player.open().catch(() => null);
    const { port } = this.#player ?? { port: new MessageChannel().port1 };
    if (this.state().phase.at === "ended") return void this.#player?.close();
    if (!this.#player) this.#tell({ kind: "no-sound" });
    // Whoever watches has no name: nobody is told of it.
    this.#core.send({ do: "join", link: this.#link, name: speaks ? name : "-", speaks, sound: port }, [port]);
    this.#link = "";
  }

  leave(): void {
    const { phase } = this.state();
    if (phase.at === "ended") return;
    if (phase.at === "preview") this.#core.end();
    else this.#core.send({ do: "leave", now: false });
    this.#story.ends("left");
    this.#end();
  }

  #pageGoes = (): void => {
    if (this.state().phase.at === "ended") return;
    this.#core.send({ do: "leave", now: true });
    this.#story.ends("left");
    this.#end();
  };

  raiseHand(up: boolean): void {
    this.#story.handIs(up);
    this.#stand();
    this.#changed();
  }

  say(text: string): void {
    this.#core.send({ do: "say", text });
  }

  wordList(list: WordList): void {
    this.#loadWords(list);
    this.#story.wordsAreOf(list);
    this.#changed();
  }

  admit = (knock: number): void => this.#command("admit", knock);

  admitAll(on: boolean): void {
    this.#command("admitAll", on);
    this.#story.admitsAll(on);
    this.#changed();
  }

  deny = (knock: number): void => this.#command("deny", knock);

  denyAll(): void {
    for (const { number } of this.state().knocks) this.deny(number);
  }

  compare(knock: number): void {
    this.#loadWords(listOfPage());
    this.#story.wordsAreOf(listOfPage());
    this.#story.asksToCompare(knock);
    this.#command("compare", knock);
    this.#changed();
  }

  same = (knock: number): void => this.#command("sameWords", knock, true);
  different = (knock: number): void => this.#command("sameWords", knock, false);
  lock = (on: boolean): void => this.#command("lock", on);
  remove = (person: PersonId): void => this.#command("remove", whoOf(person));
  askQuiet = (): void => this.#command("askQuiet");
  endForAll = (): void => this.#core.send({ do: "end-for-all" });

  #command<C extends keyof Commands>(what: C, ...given: Commands[C]): void {
    this.#core.send({ do: "command", what, with: given } as Parameters<Core["send"]>[0]);
  }

  #hear(saying: Saying): void {
    switch (saying.kind) {
      case "told":
        for (const out of saying.outs) {
          this.#story.hear(out.kind === "link" ? { ...out, link: this.#newLink(out.link) } : out);
        }
        break;
      case "connected":
        this.#story.connected();
        break;
      case "picture":
        // First, so that the next one comes whatever becomes of this one.
        this.#core.send({ do: "drawn", who: saying.who, source: saying.source });
        return this.#watching.show(idOf(saying.who), saying.source, saying.picture);
      case "speaking":
        this.#story.speaks(saying.who, saying.on);
        break;
      case "uplink":
        this.#story.uplinkIs(saying.state);
        break;
      case "downlink":
        this.#story.downlinkIs(saying.poor);
        break;
      case "unsent":
        this.#story.tell({ kind: `${saying.what}-unsent` });
        break;
      case "spoke":
        this.#story.spoke(saying.text, saying.went);
        break;
      case "fault":
        this.#story.ends(saying.why);
        break;
      case "closed":
        return;
      default:
        return saying satisfies never;
    }
    this.#localChanged();
    const { phase } = this.state();
    if (phase.at !== "ended") return;
    this.#end();
    if (phase.problem === "unreachable") void this.#lookAtTheClock();
  }

  async #lookAtTheClock(): Promise<void> {
    if (!(await clockIsWrong())) return;
    this.#story.ends("clock-wrong");
    this.#changed();
  }

  /** Devices are let go, and the worker is ended once it has said goodbye. */
  #end(): void {
    removeEventListener("pagehide", this.#pageGoes);
    this.#mayFreeze();
    this.#stopLocal();
    this.#capture?.stop();
    this.#capture = null;
    this.#player?.close();
    this.#player = null;
    this.#link = "";
    const core = this.#core;
    core.listen(drop);
    // By then it has ended by itself.
    setTimeout(() => core.end(), LEAVING_MS);
    this.#draw();
  }

  /** Devices were turned on or off, or it is only now that they may be used. */
  #localChanged(): void {
    const { phase, viewer } = this.state();
    if (phase.at !== "ended") this.#story.localIs(this.#local.state());
    if (phase.at === "in" && !viewer) {
      this.#send();
      this.#stand();
    }
    this.#changed();
  }

  /** From here on the devices are followed. */
  #send(): void {
    if (this.#capture) return;
    this.#capture = new Capture();
    const give = (sources: Sources, transfer: Transferable[]) => this.#core.send({ do: "use", sources }, transfer);
    this.#capture.start(this.#local, give, () => this.#tell({ kind: "sound-unsent" }));
  }

  #stand(): void {
    const standing = this.#story.self;
    const said = JSON.stringify(standing);
    if (said === this.#standing || this.state().phase.at !== "in") return;
    this.#standing = said;
    this.#core.send({ do: "standing", standing });
  }

  #tell(notice: Notice): void {
    this.#story.tell(notice);
    this.#changed();
  }

  #loadWords(list: WordList): void {
    load(list).then(
      () => {
        if (this.state().phase.at === "ended") return;
        this.#story.wordsAreOf(list);
        this.#changed();
      },
      // Places in the list are shown instead.
      () => undefined,
    );
  }

  /** Screens are drawn anew at once, and then at most each `DRAWN_MS`: somebody who writes without end must not keep
   * a host from removing them. */
  #changed(): void {
    if (this.#drawn !== undefined) return void (this.#again = true);
    this.#drawn = setTimeout(() => {
      this.#drawn = undefined;
      if (this.#again) this.#changed();
    }, DRAWN_MS);
    this.#draw();
  }

  #draw(): void {
    this.#again = false;
    for (const listener of this.#listeners) listener();
  }
}
