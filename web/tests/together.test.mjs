// What people in a meeting hear and see of each other: pages, a participant without one, a relay process.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { beeps, hears, listen } from "./lib/ear.mjs";
import { lossy } from "./lib/lossy.mjs";
import { start } from "./lib/page.mjs";
import { Someone } from "./lib/people.mjs";
import { invite, joinNatively, startRelay } from "./lib/relay.mjs";

const voice = fileURLToPath(new URL("../../tests/fixtures/vp8-voice.webm", import.meta.url));

let served;
let relay;
/** All who take part in a test. */
let all = [];
before(async () => {
  relay = await startRelay();
  served = await start("src/main.tsx");
});
after(async () => {
  await served?.stop();
  await relay?.end();
});
afterEach(async () => {
  for (const one of all.splice(0)) await (one.close ?? one.end).call(one);
});

async function arrive(link, name) {
  const someone = await Someone.at(served.browser, served.origin, link, name, { prepare: listen });
  all.push(someone);
  return someone;
}

async function met(links, ...names) {
  const ada = await arrive(links.host, "Ada");
  await ada.inside();
  const guests = [];
  for (const name of names) {
    const guest = await arrive(links.meeting, name);
    await ada.admit(name);
    await guest.inside();
    guests.push(guest);
  }
  return [ada, ...guests];
}

const muted = (one) => one.page.getByRole("button", { name: /^Mute/ }).first();

test("everybody sees and hears everybody; of who is removed nothing is seen or heard, and it opens nothing more", async () => {
  const links = await invite(relay);
  const [ada, bea] = await met(links, "Bea");
  const dia = joinNatively(links.meeting, "Dia", ["--play", voice, "--loop"]);
  all.push(dia);
  await ada.admit("Dia");
  for (const one of [ada, bea]) await one.seesMoving("Dia");
  await ada.seesMoving("Bea");
  await bea.seesMoving("Ada");
  for (const one of [ada, bea]) await hears(one.page);
  dia.say("/leave");
  await ada.sees("Ada", "Bea");
  // Ada is silent now: what is heard by Ada comes from Bea.
  await muted(ada).click();
  await hears(ada.page);
  await ada.panel("people");
  await ada.button("Remove: Bea").click();
  await ada.page.locator("dialog[open]").getByRole("button", { name: "Remove" }).click();
  await bea.heading("The meeting is over for you");
  await ada.sees("Ada");
  const { loudest } = await beeps(ada.page, 2500);
  assert.ok(loudest < 0.001, `something was heard of who was removed: ${loudest}`);
  assert.equal(await bea.page.locator("canvas").count(), 0);
});

test("who is muted is not heard, and the others see it; a hand that is raised is seen", async () => {
  const [ada, bea] = await met(await invite(relay), "Bea");
  await hears(ada.page);
  await muted(bea).click();
  await ada.panel("people");
  const bea_at_ada = ada.page.locator(".tile", { has: ada.page.locator(".tile-name", { hasText: "Bea" }) });
  await ada.page.getByRole("listitem", { name: /^Bea.* muted/ }).waitFor();
  await ada.page.waitForTimeout(600);
  const { loudest } = await beeps(ada.page, 2500);
  assert.ok(loudest < 0.01, `whoever was muted was heard: ${loudest}`);
  await bea.page.getByRole("button", { name: "Raise hand" }).click();
  await bea_at_ada.locator(".hand-up").waitFor();
  await bea.page.getByRole("button", { name: "Lower hand" }).click();
  await bea_at_ada.locator(".hand-up").waitFor({ state: "detached" });
});

test("a screen that is shared is seen beside its owner", async () => {
  const [ada, bea] = await met(await invite(relay), "Bea");
  await ada.page.getByRole("button", { name: "Share screen" }).click();
  const screens = bea.page.locator(".tile.shows-screen");
  await screens.first().waitFor();
  await bea.page.waitForFunction(() =>
    [...document.querySelectorAll(".tile.shows-screen canvas")].some((canvas) => canvas.width > 400));
  await ada.page.getByRole("button", { name: /Stop sharing/ }).first().click();
  await screens.first().waitFor({ state: "detached" });
});

test("the host ends it for all, and it is over for each", async () => {
  const [ada, bea, cem] = await met(await invite(relay), "Bea", "Cem");
  await ada.panel("host");
  await ada.button("End for everyone").click();
  await ada.page.locator("dialog[open]").getByRole("button", { name: "End for everyone" }).click();
  for (const one of [ada, bea, cem]) await one.heading(/ended/i);
});

test("a network that loses five of a hundred packets takes nobody's voice", async () => {
  const network = await lossy(Number(new URL(relay.address).port), 5);
  try {
    const far = { address: relay.address.replace(/:\d+\//, `:${network.port}/`) };
    const [ada, bea] = await met(await invite(far), "Bea");
    for (const one of [ada, bea]) await hears(one.page);
    const { count } = await beeps(bea.page, 8000);
    assert.ok(count >= 13 && count <= 18, `${count} beeps in 8 s, of two a second`);
    await bea.seesMoving("Ada");
    assert.ok(network.counted.lost > 20);
  } finally {
    network.end();
  }
});

test("a vigil: twenty watch, and see who speaks", async () => {
  const links = await invite(relay, ["--vigil"]);
  const ada = await arrive(links.host, "Ada");
  await ada.inside();
  const natives = Array.from({ length: 18 }, (_, number) => joinNatively(links.meeting, `v${number}`));
  all.push(...natives);
  for (let number = 0; number < 2; number += 1) {
    const viewer = await Someone.watching(served.browser, served.origin, links.meeting, { prepare: listen });
    all.push(viewer);
    await viewer.inside();
    await viewer.seesMoving("Ada");
    await hears(viewer.page);
  }
  for (const native of natives) await native.until((event) => JSON.stringify(event).includes("Ada"), 30_000);
  await ada.sees("Ada");
});
