// The page with the made-up meeting, built, served and opened in a browser for one test file.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../../build.mjs";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

export async function start(entry = "tests/made-up/main.tsx", more = {}) {
  // One folder for each process: test files may run side by side.
  const out = `tests/built/${process.pid}`;
  await build({ entry, out, more });
  const folder = join(fileURLToPath(new URL("../..", import.meta.url)), out);
  const server = await serve(folder);
  const browser = await launch();
  return {
    origin: server.origin,
    browser,
    async stop() {
      await browser.close();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
