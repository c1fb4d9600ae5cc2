// The rules of receiving that need no browser: order, which pictures may be decoded, how large they say
// they are, who speaks, and how many voices become one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { Order } = await source("src/receiving/order.ts");
const { Gate } = await source("src/receiving/gate.ts");
const { pixels } = await source("src/receiving/sizes.ts");
const { Speaking } = await source("src/receiving/speaking.ts");
const { Mixer } = await source("src/receiving/mixer.ts");
const { Lag } = await source("src/receiving/lag.ts");
const { Positions } = await source("src/receiving/positions.ts");
const { MOST_VOICES, LARGEST_PICTURE } = await source("src/receiving/limits.ts");

const numbers = (frames) => frames.map(({ number }) => number);

test("frames come out in order; late and double ones do not", () => {
  const order = new Order();
  const put = (number) => numbers(order.put({ number }).ready);
  assert.deepEqual(put(10), [10]);
  assert.deepEqual(put(12), []);
  assert.deepEqual(put(12), []);
  assert.deepEqual(put(11), [11, 12]);
  assert.deepEqual(put(14), []);
  assert.deepEqual(put(16), []);
  assert.equal(order.waits.missing, 1);
  assert.deepEqual(numbers(order.release()), [14]);
  assert.deepEqual(put(13), []);
  assert.deepEqual(put(15), [15, 16]);
  assert.equal(order.waits, null);
});

test("what waits is bounded, and who counts anew is believed after a while", () => {
  const order = new Order();
  order.put({ number: 0 });
  let out = 0;
  for (let i = 2; i < 1000; i += 2) out += order.put({ number: i }).ready.length;
  assert.ok(out > 400);
  order.put({ number: Number.MAX_SAFE_INTEGER - 1 });
  order.release();
  const began = Array.from({ length: 70 }, (_, i) => order.put({ number: i }));
  assert.equal(began.findIndex((put) => put.began), 63);
  assert.deepEqual(numbers(began[69].ready), [69]);
});

test("pictures pass from a key frame on, until one is missing", () => {
  const gate = new Gate();
  const pass = (number, keyframe = false) => gate.pass(number, keyframe);
  assert.equal(pass(3), false);
  assert.equal(pass(4, true), true);
  assert.equal(pass(5), true);
  assert.equal(pass(5), false);
  assert.equal(pass(7), false);
  assert.equal(pass(8), false);
  assert.equal(pass(20, true), true);
  // The end of the group before.
  assert.equal(pass(9), false);
  assert.equal(pass(21), true);
  gate.keysOnly = true;
  assert.equal(pass(22), false);
  assert.equal(pass(23, true), true);
  gate.keysOnly = false;
  assert.equal(pass(24), true);
  for (let i = 0; i < 64; i++) assert.equal(pass(0), false);
  assert.equal(pass(1, true), true);
  assert.equal(pass(2), true);
});

test("a key frame says how large it is, and one that does not is none", () => {
  assert.equal(pixels("vp8", Uint8Array.of(0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xb4, 0)), 320 * 180);
  assert.ok(pixels("vp8", Uint8Array.of(0x10, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f)) > LARGEST_PICTURE);
  assert.equal(pixels("vp9", Uint8Array.of(0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x30, 0)), 320 * 180);
  for (const codec of ["vp8", "vp9", "av1"]) {
    for (let size = 0; size < 40; size++) {
      // Of VP8 one bit says that it is no key frame, and then there is no size in it.
      assert.equal(pixels(codec, new Uint8Array(size).fill(0xff)), codec === "vp8" ? 0 : null);
      pixels(codec, new Uint8Array(size));
    }
  }
  assert.equal(pixels("vp8", new Uint8Array(20)), null);
  assert.equal(pixels("vp9", Uint8Array.of(0x86, 0, 0, 0)), 0);
  assert.equal(pixels("av1", Uint8Array.of(0x12, 0, 0x32, 1, 0)), 0);
});

test("a voice is heard to speak at once, and not any more after half a second; a fan never does", () => {
  const speaking = new Speaking();
  const loud = Float32Array.from({ length: 960 }, (_, i) => 0.1 * Math.sin(i / 10));
  const fan = loud.map((sample) => sample / 15);
  let at = 0;
  const feed = (plane, time) => {
    const changes = [];
    for (const end = at + time; at < end; at += 20) if (speaking.take(plane, 20)) changes.push(speaking.on);
    return changes;
  };
  assert.deepEqual(feed(fan, 60_000).filter((on) => on).length <= 1, true);
  assert.equal(speaking.on, false);
  assert.deepEqual(feed(loud, 60), [true]);
  assert.deepEqual(feed(fan, 480), []);
  assert.deepEqual(feed(fan, 60), [false]);
  assert.deepEqual(feed(loud, 20), []);
});

test("many loud voices at once stay below full scale, and are bounded in number", () => {
  const mixer = new Mixer();
  const plane = Float32Array.from({ length: 960 }, (_, i) => 0.8 * Math.sin(i / 7.64));
  let top = 0;
  const left = new Float32Array(128);
  const right = new Float32Array(128);
  for (let block = 0; block < 600; block++) {
    if (block % 7.5 < 1) {
      const number = Math.floor(block / 7.5);
      for (let voice = 0; voice < MOST_VOICES + 20; voice++) {
        mixer.take(block * 128, { kind: "sound", key: voice, number, timestamp: number * 20_000, held: 0, planes: [plane] });
      }
    }
    mixer.pull(block * 128, left, right);
    for (const sample of left) top = Math.max(top, Math.abs(sample));
  }
  assert.ok(top > 0.5 && top <= 1, `${top}`);
  assert.equal(mixer.tell(600 * 128).playing.length, MOST_VOICES);
  for (let voice = 0; voice < MOST_VOICES; voice++) mixer.take(0, { kind: "stop", key: voice });
  mixer.pull(0, left, right);
  mixer.pull(128, left, right);
  assert.ok(left.every((sample) => sample === 0));
});

test("sound waits for slower pictures, as long as they are slower", () => {
  const lag = new Lag();
  let more = 0;
  for (let now = 0; now < 10_000; now += 40) more = lag.take(now, 60 - more) ?? more;
  assert.ok(more > 50 && more < 110, `${more}`);
  for (let now = 10_000; now < 60_000; now += 40) more = lag.take(now, -60 - more) ?? more;
  assert.equal(more, 0);
});

test("what plays is reckoned on from the last word, and not for long", () => {
  const positions = new Positions();
  assert.equal(positions.awake(0), false);
  for (let now = 0; now <= 1000; now += 100) {
    positions.take(now + (now % 200 ? 5 : 0), { latency: 30, missing: 0, playing: [[7, 5_000_000 + now * 1000]] });
  }
  assert.ok(Math.abs(positions.played(1050, 7) - 6_048_000) < 4000, `${positions.played(1050, 7)}`);
  assert.equal(positions.played(1050, 7) - positions.heard(1050, 7), 30_000);
  assert.equal(positions.played(1050, 8), null);
  assert.equal(positions.played(1600, 7), null);
  assert.deepEqual([positions.awake(1600), positions.awake(2100)], [true, false]);
});
