// What a page sends, from devices to encoded frames, in a real browser and with its made-up devices.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open } from "./lib/browser.mjs";
import { start } from "./lib/page.mjs";

const [SOUND, CAMERA, SMALL, SCREEN, SCREEN_SOUND] = [1, 2, 3, 4, 5];
const ask = (page, ...asked) => page.evaluate((asked) => globalThis.ask(...asked), asked);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let served;
before(async () => {
  served = await start("tests/made-up/sending.ts", { worker: "tests/made-up/sending.worker.ts" });
});
after(() => served?.stop());

async function opened(prepare, argument) {
  const { page, context, complaints } = await open(served.browser, `${served.origin}/`);
  await page.waitForFunction(() => "ask" in globalThis);
  // Sound begins where somebody has clicked.
  await page.mouse.click(5, 5);
  await page.evaluate(prepare, argument);
  return { page, complaints, close: () => context.close() };
}

/** Until something was sent that `fits`. */
async function until(page, fits, ms = 20_000) {
  for (const end = Date.now() + ms; ; await sleep(100)) {
    const sent = await ask(page, "sent");
    if (fits(sent)) return sent;
    assert.ok(Date.now() < end, `not sent: ${JSON.stringify({ ...sent, frames: sent.frames.length })}`);
  }
}

const of = (sent, track) => sent.frames.filter((frame) => frame.track === track);
const steps = (frames) => frames.slice(1).map(({ timestamp }, at) => timestamp - frames[at].timestamp);

/** Every packet of one size, one each 20 ms, as many as time has passed. */
function constant(packets, size) {
  assert.deepEqual([...new Set(packets.map((packet) => packet.size))], [size]);
  for (const step of steps(packets)) assert.ok(step >= 19_700 && step <= 20_300, `${step}`);
}

test("microphone and camera: sizes, pace, key frames, one clock", { timeout: 90_000 }, async (context) => {
  const { page, complaints, close } = await opened(async () => {
    globalThis.local = new globalThis.LocalMedia();
    globalThis.start(globalThis.local);
    await globalThis.local.setMicrophone(true);
    await globalThis.local.setCamera(true);
  });
  await until(page, (sent) => of(sent, SMALL).length > 5 && of(sent, SOUND).length > 5);
  await sleep(6000);
  const sent = await ask(page, "sent");
  assert.deepEqual(await page.evaluate(() => globalThis.given.sort()), ["camera ReadableStream", "sound MessagePort"]);
  constant(of(sent, SOUND), 60);
  const last = of(sent, SOUND).at(-1);
  assert.ok(sent.now - last.arrived < 200);
  assert.ok(of(sent, SOUND).length > 280);

  const [first] = sent.frames;
  assert.ok(first.timestamp >= 0 && first.timestamp < 10_000_000, `${first.timestamp}`);
  for (const [track, height] of [[CAMERA, 720], [SMALL, 180]]) {
    const frames = of(sent, track);
    if (track === CAMERA && !sent.told.at(-1).some((one) => one.track === CAMERA)) {
      context.diagnostic("this machine is too slow for the large picture: it was left out");
      continue;
    }
    assert.ok(steps(frames).every((step) => step > 0));
    assert.ok(frames[0].keyframe);
    const keys = steps(frames.filter((frame) => frame.keyframe));
    assert.ok(keys.length > 0 && keys.every((step) => step < 4_000_000), JSON.stringify(keys));
    const seconds = (frames.at(-1).timestamp - frames[0].timestamp) / 1e6;
    const bits = (frames.reduce((sum, frame) => sum + frame.size, 0) * 8) / seconds;
    context.diagnostic(`${height}: ${(frames.length / seconds).toFixed(1)} fps, ${Math.round(bits / 1000)} kbit/s, ` +
      `key frames each ${keys.map((step) => (step / 1e6).toFixed(2)).join(", ")} s`);
    assert.ok(bits < (track === CAMERA ? 1_400_000 : 200_000), `${bits}`);
    const pictures = await ask(page, "pictures", track);
    assert.ok(pictures.length >= frames.length);
    const [told] = sent.told.flat().filter((one) => one.track === track);
    assert.deepEqual([pictures[0].width, pictures[0].height], [told.width, told.height]);
    if (track === SMALL) assert.equal(told.height, 180);
    assert.ok(pictures.every(({ light }) => light > 20));
    assert.notDeepEqual(pictures[0].seen, pictures.at(-1).seen);
  }
  const { loud } = await ask(page, "sound", SOUND, 1);
  assert.ok(Math.max(...loud) > 0.1 && loud.filter((value) => value < 0.05).length > loud.length / 2);
  // When a frame comes out, its moment of capture is a short while ago.
  const ages = (track) => of(sent, track).map(({ arrived, timestamp }) => arrived - timestamp / 1000);
  const least = (track) => Math.min(...ages(track));
  context.diagnostic(`least time to encoded: sound ${(least(SOUND) - least(SMALL)).toFixed(1)} ms more than the small picture`);
  assert.deepEqual(sent.unencodable, []);

  // A screen besides, and the camera opened anew: its track goes on.
  await page.evaluate(async () => {
    await globalThis.local.setScreen(true);
    await globalThis.local.chooseCamera(globalThis.local.state().cameraId);
  });
  await ask(page, "forget");
  const more = await until(page, (sent) => of(sent, SCREEN).length > 2 && of(sent, SMALL).length > 2);
  assert.ok(more.told.every((tracks, at) => at < 2 || tracks.some(({ track }) => track === SMALL)));
  const given = await page.evaluate(() => globalThis.given.filter((what) => what.endsWith("ReadableStream")));
  assert.deepEqual(given, ["camera ReadableStream", "screen ReadableStream", "camera ReadableStream"]);
  await page.evaluate(() => globalThis.local.close());
  await until(page, ({ told }) => told.at(-1).length === 0);
  assert.deepEqual(complaints, []);
  await close();
});

test("muted and not, another camera, and the end: tracks are told before their frames", { timeout: 90_000 }, async () => {
  const { page, complaints, close } = await opened(async () => {
    globalThis.made = new globalThis.Made();
    globalThis.start(globalThis.made);
    const { sound, picture } = await globalThis.flashes();
    globalThis.made.set({ sound, picture });
    globalThis.sound = sound;
  });
  await until(page, (sent) => of(sent, SOUND).length > 20 && of(sent, SMALL).length > 5);
  await page.evaluate(() => globalThis.made.set({ sound: null }));
  let sent = await until(page, ({ told }) => !told.at(-1).some(({ track }) => track === SOUND));
  await ask(page, "forget");
  await sleep(300);
  assert.equal(of(await ask(page, "sent"), SOUND).length, 0);
  await page.evaluate(() => globalThis.made.set({ sound: globalThis.sound }));
  await until(page, (sent) => of(sent, SOUND).length > 20);

  // A phone that is turned: other sizes, and other sound at once, with no packet missing.
  await page.evaluate(async () => {
    const turned = globalThis.canvas(360, 640, (paint, at) => {
      paint.fillStyle = `hsl(${at * 9} 80% 50%)`;
      paint.fillRect(0, 0, 360, 640);
    });
    globalThis.made.set({ picture: turned.track, sound: (await globalThis.flashes()).sound });
  });
  sent = await until(page, ({ told }) => told.at(-1).some(({ track, height }) => track === SMALL && height === 320));
  const small = sent.told.at(-1).find(({ track }) => track === SMALL);
  assert.deepEqual([small.width, small.height], [180, 320]);
  await sleep(700);
  sent = await ask(page, "sent");
  constant(of(sent, SOUND), 60);
  const pictures = await ask(page, "pictures", SMALL);
  assert.deepEqual([pictures.at(-1).width, pictures.at(-1).height], [180, 320]);

  const known = new Set();
  for (const note of sent.order) {
    const [what, ...tracks] = note.split(" ");
    if (what === "frame") assert.ok(known.has(tracks[0]), sent.order.join(", "));
    else {
      known.clear();
      for (const track of tracks) known.add(track);
    }
  }
  await page.evaluate(() => globalThis.capture.stop());
  await until(page, ({ told }) => told.at(-1).length === 0);
  const given = await page.evaluate(() => globalThis.given);
  assert.deepEqual(given.filter((what) => what.endsWith("over")), ["sound over", "camera over", "sound over"]);
  assert.deepEqual(complaints, []);
  await close();
});

test("sound and picture of one moment have one timestamp", { timeout: 90_000 }, async (context) => {
  const { page, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound, picture } = await globalThis.flashes();
    made.set({ sound, picture });
  });
  await until(page, (sent) => of(sent, SMALL).length > 5 && of(sent, SOUND).length > 5);
  await sleep(5000);
  const { from, loud } = await ask(page, "sound", SOUND, 1);
  const pictures = await ask(page, "pictures", SMALL);
  // Milliseconds at which it gets loud, less the 6.5 by which the encoder is behind.
  const beeps = loud.flatMap((value, at) =>
    value > 0.2 && loud.slice(Math.max(0, at - 300), at).every((before) => before < 0.2) ? [from / 1000 + at - 6.5] : []);
  const flashes = pictures.flatMap(({ light, timestamp }, at) =>
    light > 128 && (pictures[at - 1]?.light ?? 255) < 128 ? [timestamp / 1000] : []);
  const apart = flashes.map((flash) => beeps.map((beep) => flash - beep).sort((a, b) => Math.abs(a) - Math.abs(b))[0]);
  context.diagnostic(`picture after sound by ${apart.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  assert.ok(apart.length >= 3, JSON.stringify({ beeps, flashes }));
  const middle = apart.sort((a, b) => a - b)[apart.length >> 1];
  // A canvas is captured, and a small picture sent, at steps of up to 33 and 67 ms.
  assert.ok(Math.abs(middle) < 90, `${middle}`);
  await close();
});

test("a worker or a microphone that stalls leaves no gap, and sound is soon in time again", { timeout: 90_000 }, async () => {
  const { page, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound, context } = await globalThis.flashes();
    Object.assign(globalThis, { context });
    made.set({ sound });
  });
  await until(page, (sent) => of(sent, SOUND).length > 20);
  await ask(page, "hang", 400);
  await sleep(700);
  // Nothing comes from the device at all.
  await page.evaluate(() => globalThis.context.suspend());
  await sleep(500);
  await page.evaluate(() => globalThis.context.resume());
  await sleep(1500);
  const sent = await ask(page, "sent");
  const packets = of(sent, SOUND);
  constant(packets, 60);
  const seconds = (packets.at(-1).timestamp - packets[0].timestamp) / 1e6;
  assert.ok(Math.abs(packets.length - 1 - seconds * 50) < 2);
  const ages = packets.map(({ arrived, timestamp }) => arrived - timestamp / 1000);
  assert.ok(Math.abs(ages.at(-1) - ages[10]) < 60, `${ages[10]}, ${ages.at(-1)}`);
  await close();
});

test("a still screen has its key frames, large is made smaller, and its sound is stereo", { timeout: 90_000 }, async () => {
  const { page, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound } = await globalThis.flashes();
    const { track } = globalThis.canvas(2560, 1440, (paint, at) => {
      paint.fillStyle = "#395";
      paint.fillRect(0, 0, 2560, 1440);
      paint.fillStyle = "#fff";
      paint.fillRect(at * 40, 100, 800, 800);
    }, true);
    made.set({ screen: { picture: track, sound } });
  });
  await until(page, (sent) => of(sent, SCREEN).filter(({ keyframe }) => keyframe).length >= 3);
  const sent = await ask(page, "sent");
  const [told] = sent.told.flat().filter(({ track }) => track === SCREEN);
  assert.deepEqual([told.width, told.height, told.screen], [1920, 1080, true]);
  assert.ok(steps(of(sent, SCREEN).filter(({ keyframe }) => keyframe)).every((step) => step < 4_000_000));
  constant(of(sent, SCREEN_SOUND), 160);
  const { loud } = await ask(page, "sound", SCREEN_SOUND, 2);
  assert.ok(Math.max(...loud) > 0.3);
  assert.ok((await ask(page, "pictures", SCREEN)).every(({ light }) => light > 60));

  // Whoever asks has a key frame at once, and not one for each time it asks.
  const before = (await ask(page, "sent")).frames.length;
  for (let times = 0; times < 10; times++) await ask(page, "keyframe", SCREEN);
  await sleep(900);
  const asked = (await ask(page, "sent")).frames.slice(before);
  const keys = of({ frames: asked }, SCREEN).filter(({ keyframe }) => keyframe);
  assert.ok(keys.length >= 1 && steps(keys).every((step) => step >= 500_000), JSON.stringify(steps(keys)));
  await close();
});

test("nobody looks: nothing is encoded; somebody looks: a key frame is first", { timeout: 90_000 }, async () => {
  const { page, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound, picture } = await globalThis.flashes();
    made.set({ sound, picture });
  });
  await until(page, (sent) => of(sent, SMALL).length > 5);
  await ask(page, "allow", false);
  await sleep(200);
  await ask(page, "forget");
  await sleep(500);
  let sent = await ask(page, "sent");
  assert.equal(of(sent, SMALL).length + of(sent, CAMERA).length, 0);
  assert.ok(of(sent, SOUND).length > 10);
  assert.ok(sent.told.at(-1).some(({ track }) => track === SMALL));
  await ask(page, "allow", true);
  sent = await until(page, (sent) => of(sent, SMALL).length > 5);
  assert.ok(of(sent, SMALL)[0].keyframe);
  assert.ok(of(sent, CAMERA)[0]?.keyframe ?? true);
  await close();
});

test("a network that does not hold has less of the pictures, then none, and all of the sound", { timeout: 90_000 }, async () => {
  const { page, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound, picture } = await globalThis.flashes();
    made.set({ sound, picture });
  });
  await until(page, (sent) => of(sent, SMALL).length > 5);
  for (let times = 0; times < 6; times++) {
    await ask(page, "slow", CAMERA);
    await sleep(1600);
  }
  const sent = await until(page, ({ uplinks }) => uplinks.at(-1) === "none");
  assert.equal(sent.uplinks[0], "less");
  assert.deepEqual(sent.told.at(-1).map(({ track }) => track), [SOUND]);
  constant(of(sent, SOUND), 60);
  await until(page, ({ uplinks, told }) => uplinks.at(-1) === "less" && told.at(-1).some(({ track }) => track === SMALL));
  await close();
});

test("an encoder that fails is made anew, and left out when it goes on", { timeout: 90_000 }, async () => {
  const { page, complaints, close } = await opened(async () => {
    const made = new globalThis.Made();
    globalThis.start(made);
    const { sound, picture } = await globalThis.flashes();
    made.set({ sound, picture });
  });
  await until(page, (sent) => of(sent, SMALL).length > 5 && of(sent, SOUND).length > 20);
  await ask(page, "fail", "AudioEncoder", 1);
  await ask(page, "fail", "VideoEncoder", 1);
  const { frames } = await ask(page, "sent");
  await until(page, (sent) => of(sent, SMALL).length > of({ frames }, SMALL).length + 5);
  assert.deepEqual((await ask(page, "sent")).unencodable, []);
  await ask(page, "fail", "VideoEncoder", 1000);
  const sent = await until(page, ({ unencodable }) => unencodable.length === 2);
  assert.deepEqual(sent.told.at(-1).map(({ track }) => track), [SOUND]);
  constant(of(sent, SOUND), 60);
  assert.deepEqual(complaints, []);
  await close();
});
