// Each state in both themes and three widths: axe-core finds nothing, nothing sticks out, the browser
// complains of nothing. What it looks like is written to tests/screens/, for people to look at.
import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessibility, open, overflow } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { address, states } from "./lib/states.mjs";

const WIDTHS = [
  { width: 360, height: 740 },
  { width: 820, height: 1100 },
  { width: 1440, height: 900 },
];
const screens = fileURLToPath(new URL("./screens/states", import.meta.url));
const only = process.env.STATE;

let served;
before(async () => {
  if (!only) await rm(screens, { recursive: true, force: true });
  await mkdir(screens, { recursive: true });
  served = await start();
});
after(() => served?.stop());

const kept = (page) => page.evaluate(() => [...document.querySelectorAll("input, textarea, select")]
  .filter((field) => field.getAttribute("autocomplete") !== "off").map(({ outerHTML }) => outerHTML));

for (const state of states) {
  if (only && !state.name.match(new RegExp(only))) continue;
  test(state.name, async () => {
    const { page, context, complaints } = await open(served.browser, address(served.origin, state), {
      viewport: WIDTHS[1],
    });
    try {
      await page.locator("main h1, .meeting h1, main p").first().waitFor();
      await state.act?.(page);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const size of WIDTHS) {
          await page.setViewportSize(size);
          await page.waitForTimeout(120);
          const where = `${state.name} ${colorScheme} ${size.width}`;
          await page.screenshot({ path: join(screens, `${state.name}-${size.width}-${colorScheme}.png`) });
          assert.equal(await overflow(page), null, where);
          assert.deepEqual(await accessibility(page), [], where);
        }
      }
      assert.deepEqual(await kept(page), [], "a browser keeps what is written there, so that tabs can be restored");
      assert.deepEqual(complaints, [], state.name);
    } finally {
      await context.close();
    }
  });
}
