/** What a link is. */
export type LinkKind = "meeting" | "vigil" | "host" | "co-host";

/** What can be told of a link before anything is sent. Hashes are SHA-256 in hexadecimal. */
export interface LinkInfo {
    kind: LinkKind;
    /** Among those who may hold the meeting; 0 is the host. */
    rank?: number;
    /** Whoever has the link to give away can watch and record. */
    vigil: boolean;
    title?: string;
    /** For `meetingWords`. */
    bundle: string;
    relays: { authority: string; hashes: string[] }[];
    /** The whole link. */
    link: string;
    /** The link to give away: of a link to keep the one that was made with it, else the same. */
    meeting: string;
}

/** The message of an `Error` that `readLink`, `newMeeting` or `new Session` throws. */
export type Fault =
    | "not-a-link"
    | "relay-address"
    | "mangled"
    | "newer"
    | "older"
    | "contradictory"
    | "relays"
    | "bad-relay"
    | "no-hashes"
    | "co-hosts"
    | "title"
    | "too-long"
    | "no-randomness"
    | "name"
    | "tracks"
    | "options"
    | "internal";

export interface NewMeeting {
    /** Addresses of relays as they print them when they start. */
    relays: string[];
    title?: string;
    coHosts?: number;
    vigil?: boolean;
}

export interface MeetingLinks {
    /** To give away. */
    meeting: string;
    /** For the host to keep. */
    host: string;
    /** For each co-host one. */
    coHosts: string[];
}

/** What may be sent. Numbers are below 15, each once. `screen`: it is of a screen that is shown. */
export type OwnTrack =
    | { codec: "opus"; track: number; channels: number; screen?: boolean }
    | {
          codec: "vp8" | "vp9" | "av1";
          track: number;
          width: number;
          height: number;
          screen?: boolean;
      };

/** What a participant shows of itself besides its tracks. */
export interface Standing {
    /** It would like to speak. */
    hand: boolean;
    /** Its sound is silence. */
    muted: boolean;
    /** It plays a file instead of showing itself. */
    playing: boolean;
}

export interface JoinOptions {
    name: string;
    tracks?: OwnTrack[];
    /** What is sent is signed, too. */
    signs?: boolean;
    /** In the chair: whoever knocks is let in. */
    admitsAll?: boolean;
    /** With the link of a vigil: to knock as somebody who wants to speak, not to watch. */
    speaks?: boolean;
}

export interface TrackInfo {
    track: number;
    codec: "opus" | "vp8" | "vp9" | "av1";
    rate?: number;
    channels?: number;
    width?: number;
    height?: number;
    /** It is of a screen that is shown. */
    screen: boolean;
    /** What a decoder needs before the first frame; often empty. */
    setup: Uint8Array;
}

export interface Listed {
    /** `undefined`: this participant itself. */
    who?: number;
    name: string;
    rank?: number;
    here: boolean;
}

/**
 * What follows, to be done in order. `line` is one connection, or the attempt at one; no number is used
 * again, and what is told of a line that is closed does nothing. Texts are harmless as text, not as HTML.
 */
export type Out =
    /** To make a connection now; no hashes: an authority vouches for the relay. */
    | { kind: "connect"; line: number; authority: string; hashes: Uint8Array[] }
    /** What was sent on it still goes out; then to close it with 0. */
    | { kind: "close"; line: number }
    | { kind: "control"; line: number; bytes: Uint8Array }
    | { kind: "datagram"; line: number; bytes: Uint8Array }
    /** To open a unidirectional stream with this `sendOrder`. */
    | { kind: "open"; line: number; stream: number; order: number }
    /** To write; `wrote` is to be called when it is taken. */
    | { kind: "write"; line: number; stream: number; bytes: Uint8Array }
    /** To end the stream once all is written. */
    | { kind: "finish"; line: number; stream: number }
    /** To abort the stream with 0. */
    | { kind: "reset"; line: number; stream: number }
    /** To cancel the reading of a stream that came with 0. */
    | { kind: "stop"; line: number; stream: number }
    | { kind: "waiting"; for: "host" | "decision" | "unlock" | "place" }
    | { kind: "vigil"; speaks: boolean }
    | { kind: "inside" }
    | { kind: "title"; title: string }
    | {
          kind: "reconnecting";
          reason: "restarting" | "silence" | "ended" | "too-slow";
          attempt: number;
          wait: number;
      }
    | { kind: "reconnected" }
    | { kind: "other-relay"; number: number; of: number }
    | { kind: "person"; who: number; name: string; returned: boolean; tracks: TrackInfo[] }
    /** After each `person`, and when it has changed. */
    | { kind: "standing"; who: number; hand: boolean; muted: boolean; playing: boolean }
    | { kind: "gone"; who: number; why: "left" | "removed" | "taken-out" | "lost" }
    | { kind: "unheard"; who: number }
    | {
          kind: "frame";
          who: number;
          track: number;
          number: number;
          /** Microseconds. */
          timestamp: number;
          keyframe: boolean;
          duration?: number;
          bytes: Uint8Array;
      }
    | { kind: "track-ended"; who: number; track: number }
    | { kind: "chat"; who: number; text: string }
    | { kind: "knock"; number: number; name: string; taken: boolean }
    | { kind: "knock-gone"; number: number }
    | { kind: "compare"; number?: number; words: [number, number]; attempt: number }
    | { kind: "compared"; number: number }
    | {
          kind: "no-words";
          number?: number;
          why: "not-yet" | "no-answer" | "disorder" | "broken" | "used-up" | "elsewhere";
      }
    | { kind: "chair"; held: boolean }
    | { kind: "chair-heard"; state: "well" | "stale" | "stopped" }
    | { kind: "locked"; locked: boolean }
    | { kind: "link"; link: string }
    | { kind: "asked-to-be-quiet" }
    | { kind: "reported"; name: string; by: number }
    | { kind: "roster"; members: Listed[] }
    | { kind: "signatures"; who: number; track: number; state: "missing" | "forged" | "good" }
    | { kind: "warning"; what: "unreadable" | "too-many-people" | "too-large-to-send" }
    | { kind: "slow"; track: number }
    | {
          kind: "over";
          why:
              | "left"
              | "removed"
              | "denied"
              | "in-use"
              | "ended"
              | "unreachable"
              | "lost"
              | "closed";
          /** With `closed`: the relay's reason (docs/wire-format.md). */
          code?: number;
      };
