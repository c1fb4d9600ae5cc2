// What is shipped: the same bytes each time, small, nothing made up, nothing that stores or phones; and the
// true page keeps its promises in a browser.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { build } from "../build.mjs";
import { accessibility, open } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { CSP } from "./lib/server.mjs";

const twice = ["first", "second"].map((name) => `tests/built/${process.pid}-${name}`);
let files;
let served;
before(async () => {
  files = await build({ out: twice[0] });
  served = await start("src/main.tsx");
});
after(async () => {
  await served?.stop();
  for (const out of twice) await rm(new URL(`../${out}`, import.meta.url), { recursive: true, force: true });
});

test("two builds have the same bytes", async () => {
  const again = await build({ out: twice[1] });
  assert.deepEqual([...again.keys()], [...files.keys()]);
  for (const [name, bytes] of again) assert.ok(bytes.equals(files.get(name)), name);
});

const weigh = (name) => brotliCompressSync(files.get(name)).length;

test("script and styles weigh under 60 kB compressed", (context) => {
  const sum = weigh("app.js") + weigh("app.css");
  context.diagnostic(`app.js ${weigh("app.js")} B, app.css ${weigh("app.css")} B, compressed`);
  assert.ok(sum < 60_000, `${sum}`);
});

test("nothing is stored, nothing is made up, nothing comes from elsewhere", () => {
  const script = [...files].filter(([name]) => name.endsWith(".js")).map(([, bytes]) => bytes).join("\n");
  for (const never of [
    "localStorage", "sessionStorage", "indexedDB", "document.cookie", "serviceWorker", "sendBeacon", "eval(",
    "new Function", "innerHTML=\"", "MADE-UP", "console.", "caches.",
  ]) {
    assert.ok(!script.includes(never), never);
  }
  const all = [...files].filter(([name]) => name !== "core.wasm").map(([, bytes]) => bytes).join("\n");
  const addresses = new Set(all.match(/https?:\/\/[\w.-]+/g) ?? []);
  // Names of formats, which nothing is asked of.
  for (const name of ["http://www.w3.org"]) addresses.delete(name);
  assert.deepEqual([...addresses], []);
});

test("index.html stands for the script, the script for the lists of words, the worker for web/core", () => {
  const hash = (name) => `sha384-${createHash("sha384").update(files.get(name)).digest("base64")}`;
  const holds = (name, what) => assert.ok(files.get(name).toString().includes(hash(what)), what);
  for (const what of ["app.js", "app.css"]) holds("index.html", what);
  for (const what of [...files.keys()].filter((name) => name.startsWith("words-"))) holds("app.js", what);
  holds("session.js", "core.wasm");
});

test("the page itself holds the policy that a server should send", () => {
  const html = files.get("index.html").toString();
  const [, policy] = html.match(/Content-Security-Policy" content="([^"]+)"/);
  // What frames it cannot be said in the page.
  assert.equal(policy, CSP.replace("; frame-ancestors 'none'", ""));
  assert.match(html, /name="referrer" content="no-referrer"/);
  assert.ok(!/<style|style=|<script(?![^>]*src=)| on\w+=/.test(html));
});

test("only what may be used is used", async () => {
  const lock = JSON.parse(await readFile(new URL("../package-lock.json", import.meta.url), "utf8"));
  for (const [path, { license }] of Object.entries(lock.packages)) {
    if (path) assert.match(license, /^(MIT|Apache-2\.0|BSD-[23]-Clause|ISC|MPL-2\.0)$/, path);
  }
});

test("the link is out of the address bar and the history at once", async () => {
  const { page, context, complaints } = await open(served.browser, `${served.origin}/#secret-of-a-meeting`);
  await page.locator("h1").waitFor();
  assert.equal(page.url(), `${served.origin}/`);
  assert.equal(await page.evaluate(() => history.length), 2);
  assert.equal(await page.evaluate(() => JSON.stringify(history.state)), "null");
  assert.equal(await page.title(), "sottovoce");
  assert.deepEqual(await accessibility(page), []);
  await page.evaluate(() => (location.hash = "#another"));
  await page.waitForFunction(() => location.hash === "");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("it starts without a link, and stores nothing", async () => {
  const { page, context, complaints } = await open(served.browser, `${served.origin}/`);
  await page.getByRole("heading", { name: "Start a meeting" }).waitFor();
  const kept = await page.evaluate(async () => [
    document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
    (await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length,
  ]);
  assert.deepEqual(kept, ["", 0, 0, 0, 0, 0]);
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(complaints, []);
  await context.close();
});
