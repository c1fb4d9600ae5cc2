// What web/core says and takes, as the rest of the page knows it. What the module that was built cannot say
// yet is done without here, and nowhere else.
import type { Out as CoreOut, Session, TrackInfo } from "../../core/pkg/sottovoce.js";
import type { Heard } from "../meeting/media.ts";
import { SCREEN, SCREEN_SOUND } from "../meeting/media.ts";

/** What somebody says of itself, beside its tracks. */
export interface Standing {
  readonly hand: boolean;
  readonly muted: boolean;
  readonly playing: boolean;
}

export type Out =
  | Exclude<CoreOut, { kind: "over" }>
  | ({ readonly kind: "standing"; readonly who: number } & Standing)
  | {
      readonly kind: "over";
      readonly why: Extract<CoreOut, { kind: "over" }>["why"] | "ended";
      readonly code?: number;
    };

interface Later {
  show(now: number, standing: Standing): void;
  endForAll(now: number): boolean;
}

const has = <K extends keyof Later>(session: Session, what: K): session is Session & Pick<Later, K> => what in session;

export function show(session: Session, now: number, standing: Standing): void {
  if (has(session, "show")) session.show(now, standing);
}

/** Where nobody would hear of it the host goes alone. */
export function endForAll(session: Session, now: number): void {
  if (!has(session, "endForAll") || !session.endForAll(now)) session.leave(now);
}

export function heard(track: TrackInfo & { screen?: boolean }): Heard {
  return { ...track, screen: track.screen ?? (track.track === SCREEN || track.track === SCREEN_SOUND) };
}
