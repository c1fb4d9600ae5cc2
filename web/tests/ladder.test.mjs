// What is sent less of, in which order, how it comes back; sizes; sound's times and packets. No browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { Ladder } = await source("src/sending/ladder.ts");
const { shape } = await source("src/sending/sizes.ts");
const { Timeline } = await source("src/sending/timeline.ts");
const { Mapping } = await source("src/sending/clock.ts");
const { padded, empty } = await source("src/sending/opus.ts");
const BOTH = { camera: true, screen: true };

/** Where a ladder stands, in a word. */
function sends(ladder) {
  const { large, small, screen } = ladder.plan();
  return [large ? `${large.short}p ${large.bitrate / 1000}` : "-", small ? "small" : "-", screen.fps].join(" ");
}

/** Goes on until the plan changes, and says how many milliseconds later that is. */
function wait(ladder, from) {
  for (let now = from; now < from + 1_000_000; now += 40) if (ladder.tick(now)) return now - from;
  return null;
}

test("the camera goes first, the screen last, and nothing below that", () => {
  const ladder = new Ladder();
  ladder.present(BOTH);
  const seen = [];
  for (let now = 0; now < 20_000; now += 2_000) if (ladder.slow(now)) seen.push(`${sends(ladder)} ${ladder.uplink()}`);
  assert.deepEqual(seen, [
    "720p 700 small 15 less", "480p 400 small 15 less", "- small 15 less", "- - 15 less", "- - 8 less", "- - 4 less",
  ]);
});

test("with a camera alone the last step is none; with a screen alone it is slower at once", () => {
  const camera = new Ladder();
  camera.present({ camera: true, screen: false });
  for (let now = 0; now < 40_000; now += 2_000) camera.slow(now);
  assert.equal(sends(camera), "- - 15");
  assert.equal(camera.uplink(), "none");
  const screen = new Ladder();
  screen.present({ camera: false, screen: true });
  assert.ok(screen.slow(0));
  assert.equal(screen.plan().screen.fps, 8);
  assert.equal(screen.uplink(), "less");
  // And back to all in one step: those between are about a camera.
  assert.ok(wait(screen, 0) > 0);
  assert.equal(sends(screen), "720p 1200 small 15");
  assert.equal(screen.uplink(), "well");
});

test("many signs of one jam are one step", () => {
  const ladder = new Ladder();
  ladder.present(BOTH);
  let changes = 0;
  for (let now = 0; now < 1_500; now += 100) changes += ladder.slow(now);
  assert.equal(changes, 1);
});

test("it climbs after 10 s of calm, and twice as long after each climb that failed", () => {
  const ladder = new Ladder();
  ladder.present(BOTH);
  let now = 0;
  ladder.slow(now);
  const waits = [];
  for (let times = 0; times < 6; times++) {
    const waited = wait(ladder, now);
    waits.push(waited);
    now += waited + 3_000;
    assert.ok(ladder.slow(now));
  }
  assert.deepEqual(waits.map((ms) => Math.round(ms / 1000)), [10, 20, 40, 80, 160, 160]);
  // A climb that holds is forgiven.
  now += wait(ladder, now);
  assert.equal(wait(ladder, now), null);
  assert.equal(ladder.uplink(), "well");
  now += 1_000_000;
  ladder.slow(now);
  assert.equal(Math.round(wait(ladder, now) / 1000), 10);
});

test("a network that never says anything is never disturbed", () => {
  const ladder = new Ladder();
  ladder.present(BOTH);
  assert.equal(wait(ladder, 0), null);
});

test("sizes keep proportions, are even, and are never enlarged", () => {
  const small = { long: 320, short: 180, bitrate: 140_000, fps: 15 };
  const size = (width, height) => {
    const made = shape(width, height, small);
    assert.ok(made.bitrate <= small.bitrate && made.bitrate > 0);
    return `${made.width} × ${made.height}`;
  };
  assert.equal(size(1280, 720), "320 × 180");
  assert.equal(size(720, 1280), "180 × 320");
  assert.equal(size(640, 480), "240 × 180");
  assert.equal(size(160, 120), "160 × 120");
  assert.equal(size(3000, 20), "320 × 16");
});

test("sound goes on each 20 ms through a gap, and what comes too late for its time is dropped", () => {
  const timeline = new Timeline(0);
  const sent = [];
  const block = (at) => {
    const turn = timeline.block(at);
    if (turn) sent.push(...turn.silence, turn.at);
    return turn !== null;
  };
  for (let at = 0; at < 200_000; at += 20_000) block(at);
  // Nothing comes; silence is sent by the clock. Then all that was held up comes at once.
  for (let now = 220_000; now <= 520_000; now += 20_000) sent.push(...timeline.fill(now));
  let late = 0;
  for (let at = 200_000; at < 500_000; at += 20_000) late += !block(at);
  for (let at = 500_000; at < 800_000; at += 20_000) block(at);
  assert.ok(late > 8, `${late}`);
  for (let at = 1; at < sent.length; at++) assert.ok(Math.abs(sent[at] - sent[at - 1] - 20_000) <= 250);
  assert.ok(Math.abs(sent.at(-1) - 780_000) < 40_000, `${sent.at(-1)}`);
});

test("sound follows a device whose clock is wrong by 0.1 %, and one that slept", () => {
  const timeline = new Timeline(0);
  let last = -20_000;
  for (let number = 0; number < 50 * 600; number++) {
    const turn = timeline.block(number * 20_020);
    assert.equal(turn.silence.length, 0);
    assert.ok(Math.abs(turn.at - last - 20_000) <= 250);
    assert.ok(Math.abs(turn.at - number * 20_020) < 1_000);
    last = turn.at;
  }
  assert.ok(timeline.fill(last + 3_600_000_000).length <= 4);
});

test("stamps are mapped by what came fastest, and followed when they jump", () => {
  const mapping = new Mapping(250_000);
  let now = 0;
  const errors = [];
  for (let number = 0; number < 500; number++) {
    // After 5 s the device stalls for 300 ms.
    const captured = number * 20_000 + (number > 250 ? 300_000 : 0);
    now = captured + 5_000 + ((number * 7919) % 23_000);
    errors.push(mapping.at(number * 20_000, now) - captured - 5_000);
  }
  assert.ok(errors.slice(20, 250).every((error) => error >= 0 && error < 4_000), `${Math.max(...errors.slice(20, 250))}`);
  assert.ok(errors.slice(290).every((error) => error >= 0 && error < 5_000));
});

test("packets are padded as RFC 6716 says, and never cut", () => {
  const packet = Uint8Array.of(0x48, 1, 2, 3);
  assert.equal(padded(packet, 4), packet);
  assert.deepEqual([...padded(packet, 5)], [0x4b, 1, 1, 2, 3]);
  assert.deepEqual([...padded(packet, 6)], [0x4b, 0x41, 0, 1, 2, 3]);
  assert.deepEqual([...padded(packet, 8)], [0x4b, 0x41, 2, 1, 2, 3, 0, 0]);
  assert.equal(padded(packet, 3), null);
  assert.equal(padded(new Uint8Array(), 60), null);
  assert.equal(padded(empty(packet), 60).length, 60);
});
