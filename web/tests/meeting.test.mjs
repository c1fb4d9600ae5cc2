// Whole meetings: pages in contexts of their own, a relay process, participants without a browser.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";
import { Someone } from "./lib/people.mjs";
import { invite, joinNatively, startRelay } from "./lib/relay.mjs";

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

// Chromium itself writes there that a relay does not answer.
const ownWords = (complaint) => /net::ERR_|Failed to establish a connection/.test(complaint);
function assertQuiet(...people) {
  for (const { name, complaints } of people) assert.deepEqual(complaints.filter((one) => !ownWords(one)), [], name);
}

async function arrive(link, name, options) {
  const someone = await Someone.at(served.browser, served.origin, link, name, options);
  all.push(someone);
  return someone;
}

/** A host who is in, and guests who were let in. */
async function met(...names) {
  const links = await invite(relay, ["--title", "Reading circle", "--co-host", "1"]);
  const ada = await arrive(links.host, "Ada");
  await ada.inside();
  const guests = [];
  for (const name of names) {
    const guest = await arrive(links.meeting, name);
    await ada.admit(name);
    await guest.inside();
    guests.push(guest);
  }
  return { links, ada, guests };
}

test("a host makes a meeting in the page, somebody knocks and is let in, both write, and leave", async () => {
  const { page, context, complaints } = await open(served.browser, `${served.origin}/`, { viewport: { width: 1280, height: 800 } });
  const ada = new Someone({ page, context, complaints }, "Ada");
  all.push(ada);
  await page.getByLabel(/What the meeting is called/).fill("An evening");
  await page.getByText("More choices").click();
  await page.getByLabel("Relay", { exact: true }).fill(relay.address);
  await page.getByRole("button", { name: "Make the links" }).click();
  await ada.heading("Your links");
  const meeting = await page.getByRole("textbox", { name: "Link for everyone else" }).inputValue();
  await page.getByRole("button", { name: "Enter as host" }).click();
  await ada.write();
  await ada.inside();
  await ada.heading("An evening");
  const bea = await arrive(meeting, "Bea");
  await bea.heading("The host has been told");
  await ada.admit("Bea");
  await bea.inside();
  await bea.heading("An evening");
  for (const one of [ada, bea]) await one.sees("Ada", "Bea");
  await ada.say("good evening");
  assert.ok(await bea.reads("good evening", "Ada"));
  await bea.say("<b>and</b> to you");
  assert.ok(await ada.reads("<b>and</b> to you", "Bea"));
  await ada.panel("host");
  assert.equal(await page.getByRole("textbox", { name: "Link for everyone else" }).inputValue(), meeting);
  await bea.leave();
  await ada.sees("Ada");
  await ada.leave();
  assertQuiet(ada, bea);
});

test("three pages and a participant without one see each other, and what each writes", async () => {
  const { links, ada, guests: [bea, cem] } = await met("Bea", "Cem");
  const dia = joinNatively(links.meeting, "Dia");
  all.push(dia);
  await ada.admit("Dia");
  for (const one of [ada, bea, cem]) await one.sees("Ada", "Bea", "Cem", "Dia");
  for (const [one, name] of [[ada, "Bea"], [bea, "Cem"], [cem, "Ada"]]) await one.seesMoving(name);
  dia.say("from a terminal");
  for (const one of [ada, bea, cem]) assert.ok(await one.reads("from a terminal", "Dia"));
  await cem.say("from a page");
  await dia.until((event) => JSON.stringify(event).includes("from a page"));
  dia.say("/leave");
  for (const one of [ada, bea, cem]) await one.sees("Ada", "Bea", "Cem");
  assertQuiet(ada, bea, cem);
});

test("large pictures are for who is shown large", async () => {
  const { ada, guests: [bea, cem] } = await met("Bea", "Cem");
  const small = await ada.seesMoving("Bea");
  await ada.page.getByRole("button", { name: /^Pin .*Bea/ }).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.locator(".beside, .below").waitFor();
  await ada.page.waitForFunction((small) => {
    const tile = [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".tile-name")?.textContent === "Bea");
    return tile?.querySelector("canvas").width > small;
  }, small);
  await ada.page.getByRole("button", { name: /^Unpin .*Bea/ }).focus();
  await ada.page.keyboard.press("Enter");
  await ada.page.waitForFunction((small) => {
    const tile = [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".tile-name")?.textContent === "Bea");
    return tile?.querySelector("canvas").width === small;
  }, small);
  await cem.seesMoving("Bea");
  assertQuiet(ada, bea, cem);
});

test("who is denied sees nothing, a lock holds, and who is removed is out", async () => {
  const { links, ada, guests: [bea] } = await met("Bea");
  const cem = await arrive(links.meeting, "Cem");
  await ada.panel("host");
  await ada.button("Deny: Cem").click();
  await cem.heading("You were not let in");
  assert.equal(await cem.page.locator(".tile, .line, .person, canvas").count(), 0);
  await ada.panel("host");
  await ada.page.getByRole("switch", { name: "Lock the meeting" }).click();
  await ada.page.locator(".locked").waitFor();
  const dia = await arrive(links.meeting, "Dia");
  await dia.heading("The meeting is locked");
  await ada.page.getByRole("switch", { name: "Lock the meeting" }).click();
  await ada.admit("Dia");
  await dia.inside();
  await bea.seesMoving("Dia");
  await ada.panel("people");
  await ada.button("Remove: Bea").click();
  await ada.page.locator("dialog[open]").getByRole("button", { name: "Remove" }).click();
  await bea.heading("The meeting is over for you");
  assert.equal(await bea.page.locator(".tile, .line, canvas").count(), 0);
  for (const one of [ada, dia]) await one.sees("Ada", "Dia");
  await ada.say("among ourselves");
  assert.ok(await dia.reads("among ourselves"));
  await ada.panel("host");
  assert.notEqual(await ada.page.getByRole("textbox", { name: "Link for everyone else" }).inputValue(), links.meeting);
  assertQuiet(ada, bea, cem, dia);
});

test("both who compare see the same two words, and everybody the same five", async () => {
  const { links, ada } = await met();
  const bea = await arrive(links.meeting, "Bea");
  await ada.panel("host");
  await ada.button("Compare words: Bea").click();
  const words = (one) => one.page.locator(".words li").allTextContents();
  await bea.heading("Compare these words");
  await ada.button("They are the same").waitFor();
  const two = await words(bea);
  assert.equal(two.length, 2);
  assert.ok(two.every((word) => /^[a-z]+$/.test(word)), `${two}`);
  assert.deepEqual(await words(ada), two);
  await ada.button("They are the same").click();
  await ada.admit("Bea");
  await bea.inside();
  const five = [];
  for (const one of [ada, bea]) {
    await one.page.locator(".head-words").click();
    await one.page.locator("dialog .words li").nth(4).waitFor();
    five.push(await one.page.locator("dialog .words li").allTextContents());
  }
  assert.deepEqual(five[0], five[1]);
  assertQuiet(ada, bea);
});

test("the relay restarts, and all come back", async () => {
  const { ada, guests: [bea] } = await met("Bea");
  await bea.seesMoving("Ada");
  await relay.stop();
  for (const one of [ada, bea]) await one.page.getByText("The connection is lost").waitFor();
  await relay.start();
  for (const one of [ada, bea]) {
    await one.page.getByText("The connection is lost").waitFor({ state: "detached" });
    await one.sees("Ada", "Bea");
  }
  await bea.seesMoving("Ada");
  await ada.seesMoving("Bea");
  await ada.say("here again");
  assert.ok(await bea.reads("here again", "Ada"));
  assertQuiet(ada, bea);
});

test("a tab that is closed has left", async () => {
  const { ada, guests: [bea] } = await met("Bea");
  await ada.sees("Ada", "Bea");
  await bea.page.close({ runBeforeUnload: false });
  await ada.sees("Ada");
  assertQuiet(ada);
});

test("a page that is loaded anew keeps nothing, and the link leads back to the door", async () => {
  const { links, ada, guests: [bea] } = await met("Bea");
  await ada.say("before");
  assert.ok(await bea.reads("before"));
  await bea.reload();
  await ada.sees("Ada");
  await bea.page.getByLabel("Meeting link").fill(links.meeting);
  await bea.page.keyboard.press("Enter");
  await bea.write();
  await ada.admit("Bea");
  await bea.inside();
  await bea.sees("Ada", "Bea");
  await bea.say("here again");
  assert.ok(await ada.reads("here again"));
  assert.equal(await bea.page.locator(".line").count(), 1, "what was said before is gone");
  assertQuiet(ada, bea);
});

test("a co-host takes over from a host whose tab is gone, and the host's link leads back inside", async () => {
  const { links, ada, guests: [bea] } = await met("Bea");
  const cem = await arrive(links.cohosts[0], "Cem");
  await cem.inside();
  await ada.reload();
  await cem.page.locator("#control-host").waitFor();
  // As a link that is clicked, or pasted into the address bar.
  await ada.page.evaluate((fragment) => (location.hash = fragment), links.host.slice(links.host.indexOf("#")));
  await ada.write();
  await ada.inside();
  await ada.sees("Ada", "Bea", "Cem");
  await bea.say("welcome back");
  assert.ok(await ada.reads("welcome back", "Bea"));
  await ada.say("thank you");
  for (const one of [bea, cem]) assert.ok(await one.reads("thank you"));
  assertQuiet(ada, bea, cem);
});

test("whoever only watches a vigil is seen by nobody", async () => {
  const links = await invite(relay, ["--vigil"]);
  const ada = await arrive(links.host, "Ada");
  await ada.inside();
  const { page, context, complaints } = await open(served.browser, `${served.origin}/${links.meeting.slice(links.meeting.indexOf("#"))}`);
  const viewer = new Someone({ page, context, complaints }, "viewer");
  all.push(viewer);
  await viewer.button("Watch").click();
  await viewer.inside();
  await viewer.sees("Ada");
  await viewer.seesMoving("Ada");
  await ada.sees("Ada");
  assertQuiet(ada, viewer);
});

test("a relay that is not there is said to be so", async () => {
  const gone = await startRelay();
  const links = await invite(gone);
  await gone.end();
  const ada = await arrive(links.host, "Ada");
  await ada.heading("The relay cannot be reached");
  assertQuiet(ada);
});

test("a page without its worker, or with another web/core than it was built with, says so", async () => {
  for (const [file, answer] of [["session.js", { status: 404 }], ["core.wasm", { body: "another one" }]]) {
    const context = await served.browser.newContext();
    const page = await context.newPage();
    await page.route(`**/${file}`, (route) => route.fulfill(answer));
    await page.goto(`${served.origin}/`);
    await page.getByLabel("Meeting link").fill(`https://relay.example/#${"A".repeat(40)}`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "A part of this page did not load" }).waitFor();
    await context.close();
  }
});

test("a worker that breaks ends the meeting with a sentence", async () => {
  const context = await served.browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const answer = { kind: "meeting", vigil: false, bundle: "", link: "", relays: [{ authority: "relay.example", hashes: [] }] };
  const body = `onmessage = ({ data }) => {
    if (data.do === "join") throw new Error("made up");
    postMessage({ kind: "answer", number: data.number, answer: ${JSON.stringify(answer)} });
  }`;
  await page.route("**/session.js", (route) => route.fulfill({ contentType: "text/javascript", body, headers: { "Cross-Origin-Embedder-Policy": "require-corp" } }));
  await page.goto(`${served.origin}/#any`);
  await new Someone({ page }, "Ada").write();
  await page.getByRole("heading", { name: "Something went wrong" }).waitFor();
  await context.close();
});

test("before somebody joins, nothing is connected; and only the page's own origin is asked for anything", async () => {
  const links = await invite(relay);
  const context = await served.browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.addInitScript(() => (globalThis.WebTransport = class { constructor() { throw new Error("too early"); } }));
  await page.goto(`${served.origin}/${links.host.slice(links.host.indexOf("#"))}`);
  await page.getByLabel("Your name, as others see it").waitFor();
  assert.deepEqual(asked.filter((url) => !url.startsWith(`${served.origin}/`)), []);
  await context.close();
});
