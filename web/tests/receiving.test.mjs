// What a page hears and sees, in a real browser: encoders, a bad network, the true decoders and player.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";

let served;
before(async () => {
  served = await start("tests/receiving/main.ts");
});
after(() => served?.stop());

const PLAN = { people: [[1, 440]], codec: null, width: 320, height: 180, fps: 24, loss: 0, delay: 10, uneven: 10, pictureDelay: 0 };
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function meet(plan) {
  const { page, context, complaints } = await open(served.browser, served.origin);
  await page.mouse.click(5, 5);
  await page.waitForFunction(() => document.title === "ready");
  await page.waitForFunction(() => globalThis.rig.state() === "running");
  const ask = (question) => page.evaluate((asked) => globalThis.rig.ask(asked), question);
  if (plan) await ask({ kind: "start", plan: { ...PLAN, ...plan } });
  return {
    page, ask,
    tones: (count) => page.evaluate((wanted) => globalThis.rig.tones(wanted), count),
    levels: () => page.evaluate(() => globalThis.rig.levels()),
    told: (kind) => page.evaluate((wanted) => globalThis.rig.told.filter((told) => told.kind === wanted), kind),
    async report() {
      const before = await page.evaluate(() => globalThis.rig.told.length);
      await ask({ kind: "report" });
      await page.waitForFunction((from) => globalThis.rig.told.slice(from).some(({ kind }) => kind === "report"), before);
      return (await page.evaluate(() => globalThis.rig.told.filter(({ kind }) => kind === "report"))).at(-1);
    },
    async end() {
      assert.deepEqual(complaints, []);
      await context.close();
    },
  };
}

test("two people are heard, speak, and fall silent at once", async () => {
  const { tones, levels, told, ask, end, report } = await meet({ people: [[1, 440], [2, 1500]] });
  await sleep(2500);
  const heard = (await tones(2)).sort((a, b) => a - b);
  assert.ok(Math.abs(heard[0] - 440) < 8 && Math.abs(heard[1] - 1500) < 8, `${heard}`);
  assert.deepEqual((await told("speaking")).map(({ who, on }) => [who, on]).sort(), [[1, true], [2, true]]);
  await ask({ kind: "ended", who: 1, track: 1 });
  await sleep(500);
  assert.ok(Math.abs((await tones(1))[0] - 1500) < 8);
  await ask({ kind: "gone", who: 2 });
  await sleep(150);
  await levels();
  await sleep(300);
  assert.ok(Math.max(...(await levels())) < 1e-4);
  const off = (await told("speaking")).filter(({ on }) => !on).map(({ who }) => who);
  assert.deepEqual(off, [1, 2]);
  assert.equal((await report()).wrong, 0);
  await end();
});

test("5 % are lost and the rest comes unevenly and out of order: the sound stays", async (context) => {
  const { tones, levels, end } = await meet({ loss: 0.05, uneven: 60 });
  await sleep(3000);
  await levels();
  await sleep(6000);
  const looks = await levels();
  const full = middle(looks);
  const low = looks.filter((level) => level < full / 3).length / looks.length;
  let silent = 0;
  let longest = 0;
  for (const level of looks) longest = Math.max(longest, (silent = level < full / 30 ? silent + 1 : 0));
  context.diagnostic(`level ${full.toFixed(3)}, below a third ${(100 * low).toFixed(2)} %, longest silence ${longest * 4} ms`);
  assert.ok(full > 0.08, `${full}`);
  assert.ok(low < 0.03, `${low}`);
  assert.ok(longest * 4 < 40, `${longest}`);
  assert.ok(Math.abs((await tones(1))[0] - 440) < 8);
  await end();
});

for (const [name, plan] of [
  ["a good network", {}],
  ["an uneven one, with loss", { uneven: 80, loss: 0.03 }],
  ["pictures that are slower than sound", { pictureDelay: 100 }],
]) {
  test(`flash and beep come out together: ${name}`, async (context) => {
    const { page, told, report, end } = await meet({ people: [[1, 0]], codec: "vp8", ...plan });
    await sleep(8000);
    const from = await page.evaluate(() => performance.timeOrigin + performance.now());
    await sleep(8000);
    const latency = await page.evaluate(() => globalThis.rig.latency());
    const beeps = (await page.evaluate(() => globalThis.rig.beeps)).map((at) => at + latency);
    const flashes = (await told("flash")).filter(({ at }) => at > from && at < from + 7500);
    // A machine that has much else to do may overhear a beep.
    const apart = flashes
      .map(({ at }) => beeps.map((beep) => at - beep).sort((a, b) => Math.abs(a) - Math.abs(b))[0])
      .filter((ms) => Math.abs(ms) < 500);
    assert.ok(apart.length >= 5, `${apart.length} of ${flashes.length}`);
    const { ages, wrong } = await report();
    context.diagnostic(
      `picture less sound ${apart.map((ms) => ms.toFixed(0)).join(" ")} ms; output ${latency.toFixed(0)} ms; ` +
      `glass to glass ${middle(ages.slice(-100)).toFixed(0)} ms`);
    for (const ms of apart) assert.ok(Math.abs(ms) < 45, `${ms}`);
    assert.equal(wrong, 0);
    await end();
  });
}

for (const codec of ["vp8", "vp9", "av1"]) {
  test(`${codec}: pictures move, and stop where one is missing until the next key frame`, async () => {
    const { ask, report, end } = await meet({ codec, people: [[1, 440], [2, 440]] });
    await sleep(3000);
    const first = await report();
    for (const [, count] of first.pictures) assert.ok(count > 24, `${count}`);
    await ask({ kind: "lose", pictures: 1 });
    await ask({ kind: "hide", who: 2 });
    await sleep(100);
    const hidden = new Map((await report()).pictures).get(2);
    await sleep(2900);
    const second = await report();
    assert.ok(new Map(second.pictures).get(1) > new Map(first.pictures).get(1) + 20);
    assert.equal(new Map(second.pictures).get(2), hidden);
    await ask({ kind: "show", who: 2 });
    await sleep(2500);
    const third = await report();
    assert.ok(new Map(third.pictures).get(2) > hidden);
    assert.equal(third.wrong, 0);
    await end();
  });
}

test("what a stranger sends harms nobody else", async () => {
  const { tones, ask, told, report, end } = await meet({ codec: "vp8" });
  await sleep(1000);
  for (let i = 0; i < 5; i++) {
    await ask({ kind: "garbage", who: 66 });
    await sleep(400);
  }
  await sleep(1000);
  assert.ok(Math.abs((await tones(1))[0] - 440) < 8);
  const { pictures, wrong } = await report();
  assert.ok(new Map(pictures).get(1) > 30);
  assert.equal(wrong, 0);
  assert.ok((await told("undecodable")).every(({ who }) => who === 66));
  await ask({ kind: "gone", who: 66 });
  await end();
});

test("nine tiles and nine voices, decoded by software: no sound is dropped", async (context) => {
  const people = Array.from({ length: 9 }, (_, i) => [i + 1, 440]);
  const { report, end } = await meet({ people, codec: "vp8", uneven: 20 });
  await sleep(4000);
  const before = await report();
  await sleep(10_000);
  const { missing, pictures, ages } = await report();
  const rate = (pictures.reduce((sum, [, count]) => sum + count, 0) - before.pictures.reduce((sum, [, count]) => sum + count, 0)) / 90;
  context.diagnostic(`${rate.toFixed(1)} pictures a second each; ${(missing - before.missing).toFixed(0)} ms of 90 s of sound made up; glass to glass ${middle(ages).toFixed(0)} ms`);
  // The figure is above. An idle machine makes up next to nothing; one that compiles beside it was seen to make
  // up 3 in a hundred. A decoder that cannot follow makes up most of it.
  assert.ok(missing - before.missing < 18_000, `${missing - before.missing}`);
  await end();
});
