// What a meeting needs of a browser, asked before anybody types a name in vain.
import type { Problem } from "./model.ts";

export function missing(): Problem | null {
  if (!globalThis.isSecureContext) return "insecure";
  if (!("WebTransport" in globalThis)) return "no-webtransport";
  if (!("AudioEncoder" in globalThis) || !("VideoDecoder" in globalThis)) return "no-webcodecs";
  return null;
}
