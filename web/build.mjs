// Builds web/dist: index.html, one script, one sheet of styles, the worklets, the worker with web/core, the
// lists of words and the icon. The names are fixed and nothing of this machine goes in, so the same sources
// give the same bytes; index.html holds the hashes of script and styles, the script those of the lists, and the
// worker that of web/core. Each is compressed beside it (NAME.br), for the relay.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync, brotliCompressSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import esbuild from "esbuild";

const web = fileURLToPath(new URL(".", import.meta.url));

/** The lists of words, as the page calls them. */
const LISTS = { en: "english", it: "italian", "zh-Hans": "chinese_simplified", "zh-Hant": "chinese_traditional" };
const hash = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;

/**
 * Bundles the page from `entry` (the tests give another one) into the folder `out`; `more` are scripts of
 * tests besides it, by name; `compressed`, too.
 */
export async function build({ entry = "src/main.tsx", out = "dist", more = {}, compressed = false } = {}) {
  const dist = join(web, out);
  const options = {
    absWorkingDir: web,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome123", "firefox128"],
    legalComments: "none",
    charset: "utf8",
    write: false,
    outdir: dist,
    logLevel: "warning",
  };
  const files = new Map();
  files.set("core.wasm", await readFile(join(web, "core/pkg/sottovoce_bg.wasm")));
  const words = {};
  for (const [list, name] of Object.entries(LISTS)) {
    const bytes = await readFile(join(web, `../src/meeting/verify/lists/${name}.txt`));
    files.set(`words-${list}.txt`, bytes);
    words[list] = hash(bytes);
  }
  const results = await Promise.all([
    esbuild.build({
      ...options, entryPoints: { app: entry }, jsx: "automatic", jsxImportSource: "preact",
      define: { WORD_HASHES: JSON.stringify(words) },
    }),
    // What binds web/core would say a fault's place on the console, where nothing is to stand.
    esbuild.build({
      ...options, entryPoints: { session: "src/worker/session.ts" }, drop: ["console"],
      define: { CORE_HASH: JSON.stringify(hash(files.get("core.wasm"))) },
    }),
    esbuild.build({ ...options, entryPoints: { app: "src/style/app.css" } }),
    esbuild.build({ ...options, entryPoints: { voice: "src/media/voice.worklet.ts" } }),
    esbuild.build({ ...options, entryPoints: { capture: "src/sending/capture.worklet.ts" } }),
    esbuild.build({ ...options, entryPoints: more }),
    esbuild.build({ ...options, entryPoints: { player: "src/receiving/player.worklet.ts" } }),
  ]);
  for (const { outputFiles } of results) {
    for (const file of outputFiles) files.set(file.path.slice(dist.length + 1), Buffer.from(file.contents));
  }
  const integrity = (name) => hash(files.get(name));
  const html = await readFile(join(web, "src/index.html"), "utf8");
  files.set("index.html", Buffer.from(
    html.replace("SCRIPT_HASH", integrity("app.js")).replace("STYLE_HASH", integrity("app.css"))));
  files.set("icon.svg", await readFile(join(web, "src/icon.svg")));
  const beside = compressed ? [...files].map(([name, bytes]) => [`${name}.br`, brotliCompressSync(bytes)]) : [];
  await put(dist, new Map([...files, ...beside]));
  return files;
}

/** Writes what is another file than before, and removes what is none any more: cargo looks at times. */
async function put(dist, files) {
  await mkdir(dist, { recursive: true });
  for (const entry of await readdir(dist)) {
    if (!files.has(entry)) await rm(join(dist, entry), { recursive: true });
  }
  for (const [name, bytes] of files) {
    const there = await readFile(join(dist, name)).catch(() => undefined);
    if (!there?.equals(bytes)) await writeFile(join(dist, name), bytes);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await build({ compressed: true });
  let sum = 0;
  for (const [name, bytes] of [...files].sort()) {
    const brotli = brotliCompressSync(bytes).length;
    sum += brotli;
    console.log(`${name.padEnd(17)} ${String(bytes.length).padStart(8)} B  gzip ${String(gzipSync(bytes).length).padStart(7)} B  brotli ${String(brotli).padStart(7)} B`);
  }
  console.log(`all together, compressed: ${(sum / 1000).toFixed(1)} kB`);
}
