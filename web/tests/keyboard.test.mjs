// Everything by the keyboard: the way in, the space bar, short cuts, tiles, panels, dialogs; and one sees
// where the focus is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { address } from "./lib/states.mjs";

let served;
before(async () => {
  served = await start();
});
after(() => served?.stop());

const enter = (scene, options) => open(served.browser, address(served.origin, scene), options);
/** The name of what has the focus, as it is read out, or its tag. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.tagName.toLowerCase()} ${label ?? ""}`.replace(/[\u2066\u2068\u2069]/g, "").trim();
  });
const microphone = (page) => page.evaluate(() => globalThis.local.state().microphone);
const until = (page, wanted) => page.waitForFunction((on) => globalThis.local.state().microphone === on, wanted);

test("from the start page into a meeting of one's own, without a pointer", async () => {
  const { page, context, complaints } = await enter({ link: false });
  await page.getByLabel(/What the meeting is called/).focus();
  await page.keyboard.type("An evening");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your links" }).waitFor();
  await page.getByRole("button", { name: "Enter as host" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Your name").waitFor();
  await page.getByLabel("Your name").focus();
  await page.keyboard.press("Enter");
  await page.getByText("Write a name").waitFor();
  assert.match(await focused(page), /Your name/);
  await page.keyboard.type("Amina");
  await page.keyboard.press("Enter");
  await page.locator(".meeting").waitFor();
  assert.match(await focused(page), /^main/);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("Tab meets everything in the order in which it is seen, and shows where it is", async () => {
  const { page, context } = await enter({ scene: "host-one-knock" }, { viewport: { width: 1440, height: 900 } });
  await page.locator(".meeting").waitFor();
  await page.locator(".head-words").focus();
  const met = [await focused(page)];
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press("Tab");
    const name = await focused(page);
    if (name.startsWith("body") || met.includes(name)) break;
    met.push(name);
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth, opacity } = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const inside = box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
      return inside && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && opacity === "1";
    });
    assert.ok(seen, name);
  }
  assert.deepEqual(met.map((name) => name.replace(/^\w+ /, "")), [
    "Verification words", "Admit: Rebiya", "Deny: Rebiya", "See who knocks", "Pin Amina", "Unmute",
    "Turn camera on", "Share screen", "Raise hand", "Chat", "People, 6 people", "Host, 1 person knocks", "More", "Leave",
  ]);
  await context.close();
});

test("the space bar speaks while it is held, and only where it writes and presses nothing", async () => {
  const { page, context, complaints } = await enter({ scene: "meeting-4" });
  await page.locator(".meeting").waitFor();
  await page.keyboard.down("Space");
  await until(page, true);
  await page.getByText("You can be heard while").waitFor();
  await page.keyboard.up("Space");
  await until(page, false);
  await page.keyboard.press("Alt+KeyC");
  await page.getByLabel("Write to everyone").focus();
  await page.keyboard.type("a b");
  assert.equal(await page.getByLabel("Write to everyone").inputValue(), "a b");
  assert.equal(await microphone(page), false);
  await page.keyboard.press("Enter");
  await page.locator(".line", { hasText: "a b" }).waitFor();
  // Whoever is heard anyway is not muted by letting it go.
  await page.keyboard.press("Alt+KeyM");
  await until(page, true);
  await page.locator("main").focus();
  await page.keyboard.press("Space");
  await page.waitForTimeout(100);
  assert.equal(await microphone(page), true);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("panels take the focus, and give it back", async () => {
  const { page, context } = await enter({ scene: "host" });
  await page.locator(".meeting").waitFor();
  for (const control of ["chat", "people", "host"]) {
    await page.locator(`#control-${control}`).focus();
    await page.keyboard.press("Enter");
    assert.match(await focused(page), /^h2/);
    await page.keyboard.press("Escape");
    await page.locator(".panel").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.activeElement.id), `control-${control}`);
  }
  await page.getByRole("button", { name: "More" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.match(await focused(page), /More/);
  await context.close();
});

test("arrow keys go from tile to tile, in the direction of writing, and pin", async () => {
  for (const [locale, key] of [["en-GB", "ArrowRight"], ["ug-CN", "ArrowLeft"]]) {
    const { page, context } = await enter({ scene: "meeting-9" }, { locale, viewport: { width: 1440, height: 900 } });
    await page.locator(".tile .pin").first().focus();
    await page.keyboard.press(key);
    await page.keyboard.press(key);
    assert.match(await focused(page), /Tenzin/);
    await page.keyboard.press("Enter");
    await page.locator(".beside").waitFor();
    assert.match(await page.locator(".tile").first().getAttribute("aria-label"), /Tenzin/);
    await context.close();
  }
});

test("the host admits, compares, removes, locks and ends", async () => {
  const { page, context, complaints } = await enter({ scene: "host" }, { viewport: { width: 1440, height: 900 } });
  await page.locator("#control-host").click();
  await page.getByRole("button", { name: "Compare words: Rebiya" }).click();
  await page.getByText("They are the same").first().click();
  await page.getByRole("button", { name: "Admit: Rebiya" }).click();
  await page.getByRole("heading", { name: "4 people knock" }).waitFor();
  await page.getByRole("switch", { name: "Lock the meeting" }).click();
  await page.locator(".locked").waitFor();
  await page.getByRole("button", { name: "Admit all" }).click();
  await page.locator("dialog").getByRole("button", { name: "Admit all" }).click();
  await page.getByRole("heading", { name: "Nobody is knocking" }).waitFor();
  await page.locator("#control-people").click();
  await page.getByRole("button", { name: /^Remove: Giulia/ }).click();
  await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("heading", { name: "9 people" }).waitFor();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.locator("dialog").getByRole("button", { name: "End for everyone" }).click();
  await page.getByRole("heading", { name: "The meeting has ended" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("who leaves may come again; a damaged link is said to be one", async () => {
  const { page, context, complaints } = await enter({ scene: "meeting-2" });
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: "You have left" }).waitFor();
  await page.getByRole("button", { name: "Join again" }).click();
  await page.locator(".meeting").waitFor();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("button", { name: "To the start page" }).click();
  await page.getByLabel("Meeting link").fill("https://relay.example/#damaged");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "not complete" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});
