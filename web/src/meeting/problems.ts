// Why a meeting is over, or a link is of no use, in the closed set that screens have sentences for.
import type { Fault, Out } from "../../core/pkg/sottovoce.js";
import type { Made, Problem } from "./model.ts";

/** The relay's reasons, by the codes of docs/wire-format.md. Those that are not here are faults of a program. */
const CLOSED: Partial<Record<number, Problem>> = {
  0: "lost",
  1: "lost",
  2: "version",
  7: "room-full",
  8: "relay-full",
  9: "too-slow",
  12: "pass",
};

export function problemOf({ why, code }: Extract<Out, { kind: "over" }>): Problem {
  return why === "closed" ? (CLOSED[code ?? -1] ?? "fault") : why;
}

export function linkProblem(fault: Fault | "no-core"): Problem {
  switch (fault) {
    case "no-core":
      return "no-core";
    case "newer":
    case "older":
      return "link-version";
    default:
      return "link-incomplete";
  }
}

export function makeProblem(fault: Fault | "no-core"): Extract<Made, { ok: false }>["why"] {
  switch (fault) {
    case "relays":
    case "bad-relay":
    case "no-hashes":
    case "too-long":
      return "relay";
    case "title":
      return "title";
    default:
      return "no-core";
  }
}

/** How far a clock may be off before certificates of some days are in question. */
const OFF_MS = 12 * 3600 * 1000;

/**
 * Whether this device's clock is far from that of the server this page is from, if it tells its own. A browser
 * says of a connection that fails neither that nothing answered, nor that a certificate was another one, nor
 * that its days were over; only of the last there is another sign.
 */
export async function clockIsWrong(): Promise<boolean> {
  try {
    const { headers } = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    const date = Date.parse(headers.get("date") ?? "");
    return Math.abs(date - Date.now()) > OFF_MS;
  } catch {
    return false;
  }
}
