// Each language, from the browser's own choice: it fits the narrowest phone, in both directions of writing,
// and axe-core finds nothing. Written to tests/screens/, too.
import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessibility, open, overflow } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { address } from "./lib/states.mjs";

const screens = fileURLToPath(new URL("./screens/languages", import.meta.url));
const LOCALES = [
  { locale: "it-IT", tag: "it", dir: "ltr" },
  { locale: "zh-CN", tag: "zh-Hans", dir: "ltr" },
  { locale: "zh-TW", tag: "zh-Hant", dir: "ltr" },
  { locale: "ug-CN", tag: "ug", dir: "rtl" },
  { locale: "bo-CN", tag: "bo", dir: "ltr" },
];
const SCENES = [
  { name: "start", link: false },
  { name: "preview", scene: "preview", act: (page) => page.locator("video").waitFor() },
  { name: "knocking", scene: "knocking-compare" },
  { name: "ended", scene: "ended-unreachable" },
  { name: "meeting", scene: "host-one-knock" },
  { name: "host", scene: "host", act: (page) => page.locator("#control-host").click() },
  { name: "chat", scene: "meeting-9", act: (page) => page.locator("#control-chat").click() },
  { name: "screen", scene: "screen" },
  { name: "vigil", scene: "vigil-viewer" },
  {
    name: "more",
    scene: "meeting-4",
    act: async (page) => {
      await page.locator(".control-group").last().locator("button").last().click();
      await page.locator("dialog").waitFor();
    },
  },
];

let served;
before(async () => {
  await rm(screens, { recursive: true, force: true });
  await mkdir(screens, { recursive: true });
  served = await start();
});
after(() => served?.stop());

for (const { locale, tag, dir } of LOCALES) {
  test(`${tag}, ${dir}`, async () => {
    for (const scene of SCENES) {
      const { page, context, complaints } = await open(served.browser, address(served.origin, scene), {
        locale,
        viewport: { width: 820, height: 1000 },
      });
      await page.locator("h1").first().waitFor();
      const root = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
      assert.deepEqual(root, [tag, dir]);
      await scene.act?.(page);
      for (const width of [360, 1440]) {
        await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
        await page.waitForTimeout(120);
        const where = `${tag} ${scene.name} ${width}`;
        await page.screenshot({ path: join(screens, `${tag}-${scene.name}-${width}.png`) });
        assert.equal(await overflow(page), null, where);
        assert.deepEqual(await accessibility(page), [], where);
      }
      assert.deepEqual(complaints, [], `${tag} ${scene.name}`);
      await context.close();
    }
  });
}

test("language and colours are changed in the page, and no longer than it is open", async () => {
  const { page, context } = await open(served.browser, address(served.origin, { link: false }));
  await page.getByLabel("Language").selectOption("ug");
  await page.waitForFunction(() => document.documentElement.dir === "rtl");
  await page.locator("select").nth(1).selectOption("dark");
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.locator("select").nth(1).selectOption("light");
  assert.notEqual(await paper(), dark);
  await page.reload();
  await page.getByRole("heading", { name: "Start a meeting" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await context.close();
});
