// What screens show and what people can do: the one seam between the page's interface (ui/) and the
// meeting behind it (transport, codecs, web/core). Screens read a `State` and call the methods of a
// `Session`; they never learn how it works. State is never changed in place: each change is a new object.

/** What a link is for, as its fragment says before any connection is made. */
export type Kind = "meeting" | "host" | "cohost" | "vigil" | "vigil-host" | "vigil-cohost";

/** Why something cannot be, or is over. Closed: each has a title and a remedy in every language. */
export type Problem =
  | "link-incomplete" // damaged on its way: the checksum does not fit
  | "link-version" // of a version that this page does not speak
  | "no-webtransport"
  | "no-webcodecs"
  | "insecure" // not a secure context: no cryptography, no devices
  | "no-core" // the program that does the cryptography did not load
  | "unreachable"
  | "wrong-certificate"
  | "clock-wrong" // certificates are not good yet or not any more by this clock
  | "room-full"
  | "relay-full"
  | "pass"
  | "version"
  | "too-slow"
  | "lost"
  | "fault" // page and relay misunderstand each other
  | "denied"
  | "removed"
  | "in-use"
  | "ended" // the host ended it for all
  | "left"; // by one's own wish

/** How a knock stands. */
export type Waiting = "connecting" | "asking" | "host-not-here" | "waiting" | "locked" | "full";

export type Phase =
  | { readonly at: "preview" }
  | { readonly at: "knocking"; readonly waiting: Waiting; readonly compare: readonly string[] | null }
  | { readonly at: "in" }
  | { readonly at: "ended"; readonly problem: Problem };

export type PersonId = number;
export type Source = "camera" | "screen";

/** Somebody in the meeting: in the tree of the group, and nobody else. */
export interface Person {
  readonly id: PersonId;
  /** A stranger's text, made harmless by the core. */
  readonly name: string;
  readonly self: boolean;
  /** Rank among those who hold the meeting; 0 is the host. */
  readonly rank: number | null;
  /** Connected, by the relay's word. */
  readonly here: boolean;
  readonly muted: boolean;
  readonly hand: boolean;
  /** Found on this device, after decryption. */
  readonly speaking: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  /** Plays a file instead of showing itself. */
  readonly playing: boolean;
  /** Signatures of what this person sends are missing, or something was forged. */
  readonly doubt: "none" | "unsigned" | "forged";
}

export interface Line {
  readonly id: number;
  readonly from: PersonId | null;
  readonly name: string;
  readonly text: string;
  /** Milliseconds since the epoch, by this device's clock. */
  readonly at: number;
  readonly mine: boolean;
}

export type Comparing =
  | { readonly at: "none" }
  | { readonly at: "asked" }
  | { readonly at: "shown"; readonly words: readonly string[] }
  | { readonly at: "same"; readonly words: readonly string[] }
  | { readonly at: "failed"; readonly usedUp: boolean };

export interface Knock {
  readonly number: number;
  readonly name: string;
  /** Somebody who is in, or also knocks, is called so, too. */
  readonly taken: boolean;
  readonly compare: Comparing;
}

/** Something that a person should know now. Those that last are in the state; these are said once. */
export type Notice =
  | { readonly kind: "asked-quiet" }
  | { readonly kind: "joined" | "left" | "removed" | "forged" | "unsigned"; readonly name: string }
  | { readonly kind: "reported"; readonly name: string; readonly rank: number }
  | { readonly kind: "new-link" }
  | { readonly kind: "chair-mine" | "chair-gone" }
  | { readonly kind: "uplink-slow" }
  /** This browser does not send it, or lets nothing be heard. */
  | { readonly kind: "sound-unsent" | "picture-unsent" | "no-sound" }
  | { readonly kind: "chat-unsure" };

export interface Told {
  readonly id: number;
  readonly notice: Notice;
}

export interface State {
  readonly phase: Phase;
  readonly kind: Kind;
  /** What the meeting is called, once the host has said so. */
  readonly title: string | null;
  /** The relay's host name or address, for sentences about it. */
  readonly relay: string;
  /** Only watches: sends nothing, is announced to nobody. */
  readonly viewer: boolean;
  readonly inTheChair: boolean;
  readonly people: readonly Person[];
  readonly chat: readonly Line[];
  readonly knocks: readonly Knock[];
  readonly locked: boolean;
  readonly admittingAll: boolean;
  /** How fresh the chair's word is: after 15 s warn, after 60 s nothing is sent. */
  readonly chair: "well" | "stale" | "stopped";
  readonly line: "well" | "poor" | "lost";
  /** To give away. A new one after each removal. */
  readonly link: string | null;
  /** For co-hosts, in order. Each is for one person; the host's screen alone has them. */
  readonly cohostLinks: readonly string[];
  readonly told: readonly Told[];
}

/** A decoded picture. Whoever is given one draws it at once and keeps nothing: it is closed after. */
export interface Picture {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

export type Stop = () => void;

/** Languages that have a list of words. */
export type WordList = "en" | "it" | "zh-Hans" | "zh-Hant";

export interface Session {
  state(): State;
  /** Called after each change. */
  subscribe(changed: () => void): Stop;
  /** Asks for somebody's pictures while they are shown; `large` for whoever fills the screen. */
  watch(person: PersonId, source: Source, large: boolean, show: (picture: Picture) => void): Stop;
  /** The meeting's five words in this list's language. */
  words(list: WordList): Promise<readonly string[]>;

  join(name: string, speak: boolean): void;
  leave(): void;
  raiseHand(up: boolean): void;
  say(text: string): void;
  /** A knocker's own choice of language for the two words. */
  wordList(list: WordList): void;

  admit(knock: number): void;
  admitAll(on: boolean): void;
  deny(knock: number): void;
  denyAll(): void;
  compare(knock: number): void;
  same(knock: number): void;
  different(knock: number): void;
  lock(on: boolean): void;
  remove(person: PersonId): void;
  askQuiet(): void;
  endForAll(): void;
}

/** What a link says of itself before anything is sent. */
export type Read =
  | { readonly ok: true; readonly kind: Kind; readonly title: string | null; readonly relay: string }
  | { readonly ok: false; readonly problem: Problem };

export interface Wish {
  readonly title: string;
  readonly vigil: boolean;
  readonly cohosts: number;
  /** As the relay prints it, with the hashes of its certificates; empty: the relay this page is from. */
  readonly relay: string;
}

export interface Links {
  readonly host: string;
  readonly cohosts: readonly string[];
  readonly meeting: string;
}

export type Made =
  | { readonly ok: true; readonly links: Links }
  | { readonly ok: false; readonly why: "relay" | "title" | "no-core" };

/** The meeting program behind the page. */
export interface Core {
  /** What this browser lacks, if anything. */
  missing(): Problem | null;
  read(link: string): Promise<Read>;
  /** Makes links on this device; nothing is sent. */
  make(wish: Wish): Promise<Made>;
  open(link: string, local: Local): Promise<Session>;
}

export type DeviceTrouble = "denied" | "in-use" | "none" | "failed";
export type Background = "plain" | "blur" | "veil";

export interface Device {
  readonly id: string;
  readonly label: string;
}

/** What this device captures, as screens show it. */
export interface LocalState {
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  /** Name of the file that is being played instead of camera and microphone. */
  readonly playing: string | null;
  readonly microphoneTrouble: DeviceTrouble | null;
  readonly cameraTrouble: DeviceTrouble | null;
  readonly screenTrouble: DeviceTrouble | null;
  /** The file that was chosen is none that this browser plays. */
  readonly fileTrouble: boolean;
  readonly microphones: readonly Device[];
  readonly cameras: readonly Device[];
  readonly microphoneId: string | null;
  readonly cameraId: string | null;
  readonly disguise: boolean;
  readonly background: Background;
}

/** Camera, microphone, screen and file of this device: what a session sends. */
export interface Local {
  state(): LocalState;
  subscribe(changed: () => void): Stop;
  /** What is to be sent now, after disguise and blur. */
  sound(): MediaStreamTrack | null;
  picture(): MediaStreamTrack | null;
  screen(): { readonly picture: MediaStreamTrack; readonly sound: MediaStreamTrack | null } | null;
  /** How loud the microphone is now, 0 to 1. */
  level(): number;
  setMicrophone(on: boolean): Promise<void>;
  setCamera(on: boolean): Promise<void>;
  /** Camera and microphone off, and let go, so that the browser says so too. */
  letGo(): Promise<void>;
  setScreen(on: boolean): Promise<void>;
  play(file: File | null): Promise<void>;
  chooseMicrophone(id: string): Promise<void>;
  chooseCamera(id: string): Promise<void>;
  setDisguise(on: boolean): Promise<void>;
  setBackground(background: Background): Promise<void>;
  /** Lets go of every device. */
  close(): void;
}
