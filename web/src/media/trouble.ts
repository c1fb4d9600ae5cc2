// What a browser's refusal of a device means for a person.
import type { DeviceTrouble } from "../meeting/model.ts";

export function trouble(error: unknown): DeviceTrouble {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotReadableError":
    case "AbortError":
      return "in-use";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    default:
      return "failed";
  }
}
