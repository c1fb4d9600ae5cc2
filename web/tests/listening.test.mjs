// Which tracks are asked for, and that a picture goes on until the next one is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { Listening } = await source("src/worker/listening.ts");

const sound = (track = 1) => ({ track, codec: "opus", channels: 1, screen: false });
const picture = (track, width, screen = false) => ({ track, codec: "vp8", width, height: (width * 9) / 16, screen });
const BOTH = [sound(), picture(2, 1280), picture(3, 320)];

function listening() {
  const asked = new Set();
  const decoded = new Set();
  const note = (set) => (who, track, on) => (on ? set.add(`${who} ${track}`) : set.delete(`${who} ${track}`));
  const all = new Listening({ listen: note(asked), show: note(decoded) });
  return { all, asked: () => [...asked].sort().join(", "), decoded: () => [...decoded].sort().join(", ") };
}

test("voices are asked for, pictures only when they are shown, in the size in which they are", () => {
  const { all, asked, decoded } = listening();
  all.person(7, BOTH);
  assert.equal(asked(), "7 1");
  all.watch(7, "camera", "small");
  assert.deepEqual([asked(), decoded()], ["7 1, 7 3", "7 3"]);
  assert.equal(all.came(7, 3), "camera");
  all.watch(7, "camera", null);
  assert.deepEqual([asked(), decoded()], ["7 1", ""]);
  assert.equal(all.came(7, 3), null);
});

test("the small picture goes on until the large one is there, and the other way round", () => {
  const { all, asked } = listening();
  all.person(7, BOTH);
  all.watch(7, "camera", "small");
  all.came(7, 3);
  all.watch(7, "camera", "large");
  assert.equal(asked(), "7 1, 7 2, 7 3");
  assert.equal(all.came(7, 3), "camera");
  assert.equal(all.came(7, 2), "camera");
  assert.equal(asked(), "7 1, 7 2");
  assert.equal(all.came(7, 3), null, "what is late of the old one is not shown");
  all.watch(7, "camera", "small");
  all.watch(7, "camera", "large");
  assert.equal(asked(), "7 1, 7 2", "who thinks better of it keeps what there is");
});

test("a track that ends, or that this device cannot decode, gives way to the other", () => {
  const { all, asked } = listening();
  all.person(7, BOTH);
  all.watch(7, "camera", "large");
  all.came(7, 2);
  all.person(7, [sound(), picture(3, 320)]);
  assert.equal(asked(), "7 1, 7 3");
  all.person(7, BOTH);
  all.undecodable(7, 2);
  assert.equal(asked(), "7 1, 7 3");
  all.person(7, [sound(), picture(3, 320)]);
  all.person(7, BOTH);
  assert.equal(asked(), "7 1, 7 2", "what begins anew may be decoded");
});

test("screens are another thing than cameras", () => {
  const { all } = listening();
  all.person(7, [...BOTH, picture(4, 1920, true)]);
  all.watch(7, "screen", "small");
  all.watch(7, "camera", "small");
  assert.equal(all.came(7, 4), "screen");
  assert.equal(all.came(7, 3), "camera");
});

test("who was gone and is back is asked for again", () => {
  const { all, asked } = listening();
  all.person(7, BOTH);
  all.watch(7, "camera", "small");
  all.gone(7);
  assert.equal(asked(), "7 1", "the core has forgotten the wish for the sound by itself");
  all.person(7, BOTH);
  assert.equal(asked(), "7 1, 7 3");
});

test("in a crowd who is muted gives way", () => {
  const { all, asked } = listening();
  for (let who = 0; who < 60; who++) all.person(who, [sound()]);
  const voices = () => asked().split(", ");
  assert.equal(voices().length, 48);
  assert.ok(!voices().includes("59 1"));
  all.muted(0, true);
  assert.ok(!voices().includes("0 1") && voices().includes("48 1"));
  all.gone(1);
  assert.ok(voices().includes("49 1"));
});
