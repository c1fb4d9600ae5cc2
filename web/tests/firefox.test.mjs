// Firefox in a meeting with Chromium: joins, sees, writes and reads, leaves.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Firefox } from "./lib/firefox.mjs";
import { start } from "./lib/page.mjs";
import { Someone } from "./lib/people.mjs";
import { invite, startRelay } from "./lib/relay.mjs";

let served;
let relay;
let firefox;
before(async () => {
  relay = await startRelay();
  served = await start("src/main.tsx");
  firefox = await Firefox.start();
});
after(async () => {
  await firefox?.stop();
  await served?.stop();
  await relay?.end();
});

const press = (text) => [...document.querySelectorAll("button")].find((one) => `${one.ariaLabel} ${one.textContent}`.includes(text))?.click() ?? true;
const write = (selector, text) => {
  const field = document.querySelector(selector);
  if (!field) return false;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  return true;
};

test("Firefox joins, sees, writes, reads, and leaves", async () => {
  const links = await invite(relay);
  const ada = await Someone.at(served.browser, served.origin, links.host, "Ada");
  await ada.inside();
  await firefox.go(`${served.origin}/${links.meeting.slice(links.meeting.indexOf("#"))}`);
  await firefox.until(write, "form input", "Fox");
  await firefox.run(async () => document.querySelector("form button[type=submit]").click());
  await ada.admit("Fox");
  await firefox.until(() => document.querySelector(".meeting"));
  await ada.sees("Ada", "Fox");
  await firefox.until(() => {
    const canvas = document.querySelector("canvas.picture");
    if (!canvas || canvas.width < 100) return false;
    const [red, green, blue] = canvas.getContext("2d").getImageData(10, 10, 1, 1).data;
    return red + green + blue > 0;
  });
  await ada.say("good evening");
  await firefox.until(press, "Chat");
  await firefox.until(() => [...document.querySelectorAll(".line-text")].some((one) => one.textContent === "good evening"));
  await firefox.until(write, "textarea", "and to you");
  await firefox.until(press, "Send");
  assert.ok(await ada.reads("and to you", "Fox"));
  await firefox.until(press, "Leave");
  await firefox.until(() => document.querySelector("h1")?.textContent === "You have left");
  await ada.sees("Ada");
  assert.deepEqual(ada.complaints, []);
});
