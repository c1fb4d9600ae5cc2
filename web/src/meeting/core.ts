// Where the meeting program comes in: WebTransport, WebCodecs and web/core behind `Core`. Until they are
// joined to the page, links cannot be read, and the page says so instead of pretending.
import type { Core } from "./model.ts";
import { missing } from "./needs.ts";

export const core: Core = {
  missing: () => missing() ?? "no-core",
  read: async () => ({ ok: false, problem: "no-core" }),
  make: async () => ({ ok: false, why: "no-core" }),
  open: async () => {
    throw new Error("no core");
  },
};
