// What a browser's profile holds after a meeting: the folder is searched.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ARGUMENTS, executable } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { Someone } from "./lib/people.mjs";
import { invite, startRelay } from "./lib/relay.mjs";

let served;
let relay;
let profile;
before(async () => {
  relay = await startRelay();
  served = await start("src/main.tsx");
  profile = await mkdtemp(join(tmpdir(), "profile-"));
});
after(async () => {
  await served?.stop();
  await relay?.end();
  await rm(profile, { recursive: true, force: true });
});

async function* files(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile()) yield path;
  }
}

/** Which of these stand in which files, as it is or as Chromium writes wide characters. */
async function where(texts) {
  const found = [];
  for await (const path of files(profile)) {
    const bytes = await readFile(path);
    for (const [what, text] of Object.entries(texts)) {
      if (bytes.includes(Buffer.from(text, "utf8")) || bytes.includes(Buffer.from(text, "utf16le"))) {
        found.push(`${what} in ${path.slice(profile.length + 1)}`);
      }
    }
  }
  return found;
}

const NAME = "Theodolinda";
const TITLE = "Quenelle of the absent";
const WORDS = "what nobody else may read";

/** A meeting in a window of this profile, begun by `enter`, until the browser is closed. */
async function meet(enter, links) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable,
    args: ARGUMENTS,
    viewport: { width: 1000, height: 700 },
    locale: "en-GB",
  });
  const page = context.pages()[0];
  await enter(page, links.host);
  const ada = new Someone({ page, context, complaints: [] }, NAME);
  await ada.write();
  await ada.inside();
  await ada.say(WORDS);
  assert.ok(await ada.reads(WORDS));
  await ada.leave();
  await page.close();
  await context.close();
}

const WHAT_WAS_SAID = { "the name": NAME, "the title": TITLE, "what was said": WORDS };
const secretOf = (link) => {
  const fragment = link.slice(link.indexOf("#") + 1);
  return { "the link": fragment.slice(0, 40), "its end": fragment.slice(-40) };
};

test("after a meeting whose link was pasted into the page, the profile holds nothing of it", async () => {
  const links = await invite(relay, ["--title", TITLE]);
  await meet(async (page, link) => {
    await page.goto(`${served.origin}/`);
    await page.getByLabel("Meeting link").fill(link);
    await page.keyboard.press("Enter");
  }, links);
  assert.ok((await where({ origin: "127.0.0.1" })).length > 0, "the search finds what is there");
  assert.deepEqual(await where({ ...secretOf(links.host), ...WHAT_WAS_SAID }), []);
});

test("of a link that was clicked the browser itself keeps the address, and the page nothing", async () => {
  const links = await invite(relay, ["--title", TITLE]);
  await meet((page, link) => page.goto(`${served.origin}/${link.slice(link.indexOf("#"))}`), links);
  assert.deepEqual(await where(WHAT_WAS_SAID), []);
  // Its history, which no page can keep an address out of: people are told.
  const kept = await where(secretOf(links.host));
  const own = /in (Default\/(Favicons|History|Sessions\/)|segmentation_platform\/ukm_db|Default\/(Shortcuts|Top Sites|Network Action))/;
  assert.deepEqual(kept.filter((one) => !own.test(one)), []);
});
