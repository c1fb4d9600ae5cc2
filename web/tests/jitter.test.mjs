// The jitter buffer on a virtual clock: seeded networks, and what comes out is looked at sample by sample.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { Jitter, MOST } = await source("src/receiving/jitter.ts");
const { Order } = await source("src/receiving/order.ts");
const RATE = 48_000;
const BLOCK = 128;

function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Something like a vowel: a period of 7.4 ms with overtones. */
const voice = (at) => [1, 2, 3, 5].reduce((sum, k) => sum + (0.25 / k) * Math.sin(2 * Math.PI * 135 * k * (at / RATE)), 0);

/**
 * Plays `seconds` of a sender. `delay(i, random)` is a packet's delay in ms, or null for lost. The sender's
 * clock runs faster by `drift`. `sent(i)` may change number and timestamp. Gives what was played, and a
 * look at each 100 ms.
 */
function play({ seconds, delay, drift = 0, seed = 1, sent = (i) => ({ number: i, timestamp: i * 20_000 }), sound = voice }) {
  const random = seeded(seed);
  const packets = [];
  for (let i = 0; i < seconds * 50; i++) {
    const late = delay(i, random);
    if (late === null) continue;
    packets.push({ ...sent(i), at: i, arrival: ((i * 20 + 20) / (1 + drift)) + late });
  }
  packets.sort((a, b) => a.arrival - b.arrival);
  const jitter = new Jitter(1);
  const order = new Order();
  const out = new Float32Array(seconds * RATE);
  const looks = [];
  let next = 0;
  const give = (now, ready) => {
    for (const { number, timestamp, at, arrival } of ready) {
      const plane = Float32Array.from({ length: 960 }, (_, i) => sound(at * 960 + i));
      jitter.push(now, { number, timestamp, held: now / 48 - arrival, planes: [plane] });
    }
  };
  for (let now = 0; now + BLOCK <= out.length; now += BLOCK) {
    for (; next < packets.length && packets[next].arrival * 48 <= now; next++) give(now, order.put(packets[next]).ready);
    const { waits } = { waits: order.waits };
    if (waits) {
      const turn = waits.first.timestamp - waits.missing * 20_000;
      if (jitter.playing === null || jitter.playing > turn - 10_000) give(now, order.release());
    }
    const left = out.subarray(now, now + BLOCK);
    jitter.pull(now, left, new Float32Array(BLOCK));
    if (now % 4864 === 0) {
      const playing = jitter.playing === null ? null : jitter.playing / 1000;
      looks.push({ at: now / 48, ...jitter.counts, target: jitter.target, playing, delay: playing === null ? null : now / 48 - (playing + 20) / (1 + drift) });
    }
  }
  return { out, looks, jitter, after: (ms) => looks.find(({ at }) => at >= ms) };
}

/** The largest step from one sample to the next, and the longest silence, in milliseconds. */
function listen(out, from, to) {
  let step = 0;
  let silent = 0;
  let longest = 0;
  for (let i = Math.round(from * 48) + 1; i < to * 48; i++) {
    step = Math.max(step, Math.abs(out[i] - out[i - 1]));
    silent = Math.abs(out[i]) < 1e-3 ? silent + 1 : 0;
    longest = Math.max(longest, silent);
  }
  return { step, longest: longest / 48 };
}
const STEP = listen(Float32Array.from({ length: RATE }, (_, i) => voice(i)), 0, 1000).step;

test("an even network: played as it was sent, after the least delay", () => {
  const { out, looks, after } = play({ seconds: 20, delay: () => 30 });
  assert.equal(looks.at(-1).missing, 0);
  assert.equal(looks.at(-1).skipped + looks.at(-1).repeated - after(2000).skipped - after(2000).repeated, 0);
  assert.ok(looks.at(-1).delay < 30 + 45, `${looks.at(-1).delay}`);
  assert.ok(listen(out, 1000, 20_000).step <= STEP * 1.01);
});

for (const seed of [1, 2, 3, 4]) {
  test(`uneven by 80 ms: nothing is missing once it is known (seed ${seed})`, () => {
    const { out, looks, after } = play({ seconds: 60, seed, delay: (_, random) => 20 + 80 * random() });
    assert.equal(looks.at(-1).missing - after(10_000).missing, 0);
    for (const { at, delay } of looks) if (at > 5000) assert.ok(delay > 60 && delay < 20 + 80 + 45, `${at}: ${delay}`);
    assert.ok(listen(out, 1000, 60_000).step < STEP * 1.6);
  });

  test(`loss of 5 % and swapped packets: no silence, no clicks (seed ${seed})`, () => {
    const { out, looks } = play({ seconds: 60, seed, delay: (_, random) => (random() < 0.05 ? null : 20 + 40 * random()) });
    const { step, longest } = listen(out, 2000, 60_000);
    assert.ok(looks.at(-1).lost + looks.at(-1).missing > 1.5 * RATE);
    assert.ok(step < STEP * 2, `${step / STEP}`);
    assert.ok(longest < 20, `${longest}`);
  });

  test(`long tails: late ones are few, the delay is bounded (seed ${seed})`, () => {
    const { looks, after } = play({ seconds: 120, seed, delay: (_, random) => 20 - 20 * Math.log(1 - random()) });
    assert.ok(looks.at(-1).missing - after(10_000).missing < 0.005 * 110 * RATE, `${looks.at(-1).missing}`);
    for (const { at, delay } of looks) if (at > 5000) assert.ok(delay < 260, `${at}: ${delay}`);
  });

  test(`bursts: a network that stands still for 150 ms each 3 s (seed ${seed})`, () => {
    let until = 0;
    const { looks, after } = play({
      seconds: 60, seed,
      delay: (i, random) => {
        if (i % 150 === 149) until = i * 20 + 150;
        return Math.max(20, until - i * 20) + 3 * random();
      },
    });
    assert.equal(looks.at(-1).missing - after(20_000).missing, 0);
    assert.ok(looks.at(-1).delay < 240);
  });
}

for (const drift of [-300e-6, -50e-6, 50e-6, 300e-6]) {
  test(`a sender's clock that is off by ${drift * 1e6} ppm`, () => {
    const { out, looks, after } = play({ seconds: 300, drift, delay: (_, random) => 20 + 20 * random() });
    assert.ok(looks.at(-1).missing - after(10_000).missing < 0.001 * 290 * RATE, `${looks.at(-1).missing}`);
    for (const { at, delay } of looks) if (at > 5000) assert.ok(delay > 20 && delay < 110, `${at}: ${delay}`);
    assert.ok(listen(out, 1000, 300_000).step < STEP * 1.6);
  });
}

test("after 2 s without anything it is back at once, and its delay soon", () => {
  const { out, looks, after } = play({ seconds: 30, delay: (i) => (i >= 250 && i < 350 ? null : 30) });
  assert.ok(listen(out, 7200, 30_000).longest < 5);
  assert.ok(after(8000).delay < 120, `${after(8000).delay}`);
  assert.equal(looks.at(-1).missing - after(8000).missing, 0);
});

test("after 2 s that come all at once it goes on with the newest", () => {
  const { out, looks, after } = play({ seconds: 40, delay: (i) => (i >= 250 && i < 350 ? 7000 - i * 20 : 30) });
  assert.ok(listen(out, 7200, 40_000).longest < 5);
  for (const { at, delay } of looks) if (at > 7600) assert.ok(delay < MOST + 60, `${at}: ${delay}`);
  assert.ok(looks.at(-1).delay < 120, `${looks.at(-1).delay}`);
  assert.equal(looks.at(-1).missing - after(8000).missing, 0);
});

test("a network that gets better and worse: the delay follows", () => {
  const { looks, after } = play({ seconds: 90, delay: (i, random) => 20 + (i > 1500 && i < 3000 ? 150 : 10) * random() });
  assert.ok(after(29_000).delay < 80);
  assert.ok(after(45_000).delay > 130);
  assert.ok(looks.at(-1).delay < 80, `${looks.at(-1).delay}`);
  assert.equal(looks.at(-1).missing - after(75_000).missing, 0);
});

test("a route that gets longer by 100 ms: two holes at most, then as before", () => {
  const { looks, after } = play({ seconds: 40, delay: (i) => (i < 500 ? 30 : 130) });
  assert.ok(looks.at(-1).missing < 0.2 * RATE);
  assert.equal(looks.at(-1).missing - after(12_000).missing, 0);
  assert.ok(looks.at(-1).delay < 130 + 200);
});

test("a sender that begins anew, or pauses", () => {
  for (const sent of [
    (i) => (i < 500 ? { number: i, timestamp: i * 20_000 } : { number: i, timestamp: 9e12 + i * 20_000 }),
    (i) => (i < 500 ? { number: i, timestamp: i * 20_000 } : { number: i, timestamp: (i - 500) * 20_000 }),
    (i) => (i < 500 ? { number: 7e9 + i, timestamp: i * 20_000 } : { number: i - 500, timestamp: (i - 500) * 20_000 }),
  ]) {
    const { out, looks, after } = play({ seconds: 30, sent, delay: () => 30 });
    assert.ok(listen(out, 12_000, 30_000).longest < 5);
    assert.equal(looks.at(-1).missing - after(12_000).missing, 0);
  }
});

test("made-up sound goes on like what was before, fades and ends", () => {
  const { out } = play({ seconds: 3, delay: (i) => (i >= 75 ? null : 30) });
  const { step } = listen(out, 1000, 3000);
  assert.ok(step < STEP * 1.3, `${step / STEP}`);
  assert.ok(out.subarray(RATE * 1.75).every((sample) => sample === 0));
});

test("made-up sound begins without a step, even where nothing repeats", () => {
  const strange = (at) => [97, 271.3, 449.9, 613.7].reduce((sum, hertz, k) => sum + 0.15 * Math.sin((hertz * at) / 7639 + k), 0);
  const { out } = play({ seconds: 30, sound: strange, delay: (i) => (i % 25 === 24 ? null : 30) });
  const plain = listen(Float32Array.from({ length: RATE }, (_, i) => strange(i)), 0, 1000).step;
  const { step } = listen(out, 1000, 30_000);
  assert.ok(step < plain * 1.5, `${step / plain}`);
});
