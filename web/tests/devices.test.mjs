// Camera, microphone, disguise, blur, veil and a recorded message, with the browser's made-up devices.
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

async function preview(query = {}) {
  const opened = await open(served.browser, address(served.origin, { scene: "preview", ...query }));
  await opened.page.locator("h1").waitFor();
  return opened;
}

/** How many colours there are in what is sent, and the colour of a corner. */
const picture = (page) =>
  page.evaluate(async () => {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = new MediaStream([globalThis.local.picture()]);
    await video.play();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    let sharpest = 0;
    const row = 40 * canvas.width * 4;
    for (let x = 1; x < canvas.width; x++) {
      sharpest = Math.max(sharpest, Math.abs(data[row + x * 4 + 1] - data[row + x * 4 - 3]));
    }
    return { width: canvas.width, colours: colours.size, sharpest };
  });

test("the preview opens both, and the level moves", async () => {
  const { page, context, complaints } = await preview();
  await page.waitForFunction(() => globalThis.local.state().camera && globalThis.local.state().microphone);
  await page.waitForFunction(() => globalThis.local.level() > 0.2);
  assert.ok((await page.evaluate(() => globalThis.local.state().cameras.length)) > 0);
  await page.getByRole("button", { name: "Turn everything off" }).click();
  await page.waitForFunction(() => globalThis.local.picture() === null && globalThis.local.sound() === null);
  assert.equal(await page.evaluate(() => globalThis.local.level()), 0);
  const live = () => globalThis.opened.flatMap((stream) => stream.getTracks()).filter(({ readyState }) => readyState === "live");
  assert.equal(await page.evaluate(`(${live})().length`), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("blur leaves nothing sharp at the edge, and the veil nothing at all", async () => {
  const { page, context, complaints } = await preview();
  await page.waitForFunction(() => globalThis.local.picture() !== null);
  const plain = await picture(page);
  await page.evaluate(() => globalThis.local.setBackground("blur"));
  const blurred = await picture(page);
  assert.equal(blurred.width, plain.width);
  // At 40 pixels from the top stands the made-up camera's sharp clock.
  assert.ok(plain.sharpest > 60 && blurred.sharpest < plain.sharpest / 3, JSON.stringify([plain, blurred]));
  await page.evaluate(() => globalThis.local.setBackground("veil"));
  await page.evaluate(() => globalThis.local.setCamera(false));
  assert.equal(await page.evaluate(() => globalThis.local.picture()), null);
  await page.evaluate(() => globalThis.local.setCamera(true));
  // Never a bare picture first: what is sent is painted from its first frame on.
  const kind = await page.evaluate(() => globalThis.local.picture().constructor.name);
  assert.equal(kind, "CanvasCaptureMediaStreamTrack");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the disguise moves every voice by another, wandering amount, and is never plain when it fails", async () => {
  const { page, context, complaints } = await preview();
  const ratios = await page.evaluate(async () => {
    const found = [];
    for (let run = 0; run < 6; run++) {
      const rate = 48_000;
      const context = new OfflineAudioContext(1, rate * 2, rate);
      await context.audioWorklet.addModule("voice.js");
      const tone = new OscillatorNode(context, { frequency: 200 });
      tone.connect(new AudioWorkletNode(context, "voice", { outputChannelCount: [1] })).connect(context.destination);
      tone.start();
      const samples = (await context.startRendering()).getChannelData(0).subarray(rate);
      let crossings = 0;
      for (let at = 1; at < samples.length; at++) if (samples[at - 1] < 0 && samples[at] >= 0) crossings++;
      const loud = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      found.push({ ratio: crossings / 200, loud });
    }
    return found;
  });
  for (const { ratio, loud } of ratios) {
    assert.ok((ratio > 0.62 && ratio < 0.9) || (ratio > 1.12 && ratio < 1.55), JSON.stringify(ratios));
    assert.ok(loud > 0.2, JSON.stringify(ratios));
  }
  assert.ok(new Set(ratios.map(({ ratio }) => ratio)).size > 1, JSON.stringify(ratios));
  await page.waitForFunction(() => globalThis.local.sound() !== null);
  const plain = await page.evaluate(() => globalThis.local.sound().id);
  await page.getByRole("switch", { name: /Disguise/ }).click();
  await page.waitForFunction((id) => globalThis.local.sound()?.id !== id, plain);
  await page.evaluate(() => globalThis.local.setDisguise(false));
  await page.evaluate(() => {
    AudioWorklet.prototype.addModule = () => Promise.reject(new Error("made up"));
  });
  await page.evaluate(() => globalThis.local.setDisguise(true));
  assert.equal(await page.evaluate(() => globalThis.local.sound()), null);
  await page.getByText("The microphone cannot be used").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a recorded message is sent instead of camera and microphone, until it ends", async () => {
  const { page, context, complaints } = await preview();
  await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    const paint = canvas.getContext("2d");
    const timer = setInterval(() => {
      paint.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`;
      paint.fillRect(0, 0, canvas.width, canvas.height);
    }, 40);
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
    clearInterval(timer);
    await globalThis.local.play(new File(parts, "message.webm", { type: "video/webm" }));
  });
  assert.equal(await page.evaluate(() => globalThis.local.state().playing), "message.webm");
  assert.equal(await page.evaluate(() => globalThis.local.picture().kind), "video");
  await page.waitForFunction(() => globalThis.local.state().playing === null);
  await page.evaluate(() => globalThis.local.play(new File(["nothing"], "broken.webm", { type: "video/webm" })));
  assert.equal(await page.evaluate(() => globalThis.local.state().playing), null);
  await page.getByText("This file cannot be played here").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("whoever turns something off does not wait for a question of the browser's", async () => {
  const { page, context, complaints } = await preview();
  await page.waitForFunction(() => globalThis.local.state().camera && globalThis.local.state().microphone);
  const after = await page.evaluate(async () => {
    const { local } = globalThis;
    navigator.mediaDevices.getDisplayMedia = navigator.mediaDevices.getUserMedia = () => new Promise(() => undefined);
    void local.setScreen(true);
    void local.chooseCamera("another");
    void local.setMicrophone(false);
    const { microphone } = local.state();
    const track = local.sound();
    void local.setCamera(false);
    return { microphone, enabled: track.enabled, camera: local.state().camera, picture: local.picture() };
  });
  assert.deepEqual(after, { microphone: false, enabled: false, camera: false, picture: null });
  assert.deepEqual(complaints, []);
  await context.close();
});

test("whoever is muted is so with another microphone", async () => {
  const { page, context, complaints } = await preview();
  await page.waitForFunction(() => globalThis.local.state().microphone);
  const heard = await page.evaluate(async () => {
    const { local } = globalThis;
    await local.setMicrophone(false);
    const enabled = [];
    local.subscribe(() => local.sound() && enabled.push(local.sound().enabled));
    const { microphones, microphoneId } = local.state();
    await local.chooseMicrophone((microphones.find(({ id }) => id !== microphoneId) ?? microphones[0]).id);
    return enabled;
  });
  assert.ok(heard.length > 0 && heard.every((enabled) => !enabled), `${heard}`);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the screen is shared, and a small window and the full screen are had", async () => {
  const { page, context, complaints } = await open(served.browser, address(served.origin, { scene: "meeting-4" }));
  await page.locator(".meeting").waitFor();
  await page.keyboard.press("Alt+KeyS");
  await page.waitForFunction(() => globalThis.local.screen() !== null);
  await page.getByRole("button", { name: "Stop sharing" }).click();
  await page.waitForFunction(() => globalThis.local.screen() === null);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "In a small window" }).click();
  await page.waitForFunction(() => document.pictureInPictureElement !== null);
  await page.evaluate(() => document.exitPictureInPicture());
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Full screen" }).click();
  await page.waitForFunction(() => document.fullscreenElement !== null);
  assert.deepEqual(complaints, []);
  await context.close();
});
