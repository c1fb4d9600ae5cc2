// Real browsers reach a real relay by WebTransport and its certificate's hash: what they send arrives, and
// they are told why it ends. Nothing of the page's code is in it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "./lib/browser.mjs";
import { startRelay } from "./lib/relay.mjs";

const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const PATIENCE = 60_000;
// Asks nobody when it starts.
const SETTINGS = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

let server;
before(async () => {
  server = await startRelay();
});
after(() => server?.end());

/** What two participants in one browser see of each other, and how their sessions end. Runs there. */
async function meeting({ host, hashes }) {
  const VERSION = 2;
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const pattern = (length, seed) => Uint8Array.from({ length }, (_, at) => (at * 31 + seed + (at >> 8)) & 0xff);
  const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
  const joined = (head, body) => {
    const all = new Uint8Array(head.length + body.length);
    all.set(head);
    all.set(body, head.length);
    return all;
  };
  const integer = (number) => (number > 127 ? [(number & 127) | 128, ...integer(Math.floor(number / 128))] : [number]);
  const message = (...content) => {
    const class64 = new Uint8Array(66);
    class64.set([0, 64, 0, content.length, ...content]);
    return class64;
  };
  const hello = (version) => message(0, version, ...pattern(32, 7), 0, 0);

  /** All that comes on a stream, as far as it is asked for. */
  function buffered(readable) {
    const reader = readable.getReader();
    let held = new Uint8Array();
    return async (length) => {
      while (held.length < length) {
        const { value, done } = await reader.read();
        if (done) return null;
        held = joined(held, value);
      }
      const taken = held.slice(0, length);
      held = held.slice(length);
      return taken;
    };
  }

  async function participant() {
    const session = new WebTransport(`https://${host}/`, {
      serverCertificateHashes: hashes.map((hash) => ({ algorithm: "sha-256", value: bytes(hash) })),
    });
    await session.ready;
    const control = await session.createBidirectionalStream();
    const writer = control.writable.getWriter();
    const take = buffered(control.readable);
    const next = async () => {
      const head = await take(2);
      if (head === null) return null;
      const body = await take((head[0] << 8) | head[1]);
      return body.slice(2, 2 + ((body[0] << 8) | body[1]));
    };
    const datagrams = session.datagrams.readable.getReader();
    const groups = session.incomingUnidirectionalStreams.getReader();
    const out = session.datagrams.createWritable?.() ?? session.datagrams.writable;
    const sends = out.getWriter();
    return { session, next, datagrams, groups, sends, say: (told) => writer.write(told) };
  }

  /** A participant's id, as a message has it from its second byte on. */
  function id(told) {
    let number = 0;
    for (let at = 1; ; at++) {
      number += (told[at] & 127) * 128 ** (at - 1);
      if (told[at] < 128) return number;
    }
  }

  async function group(from, bytes) {
    const writer = (await from.session.createUnidirectionalStream()).getWriter();
    await writer.write(bytes);
    return writer;
  }

  async function whole(to) {
    const { value } = await to.groups.read();
    return new Uint8Array(await new Response(value).arrayBuffer());
  }

  const seen = {};
  const [ada, bo] = [await participant(), await participant()];
  seen.datagram = ada.session.datagrams.maxDatagramSize;
  await ada.say(hello(VERSION));
  const adaId = id(await ada.next());
  await bo.say(hello(VERSION));
  const welcome = await bo.next();
  const boId = id(welcome);
  const came = await ada.next();
  seen.welcome = [welcome[0], came[0], id(came) === boId];

  // Each takes sound and pictures of the other, and says so.
  for (const [who, other] of [[ada, boId], [bo, adaId]]) {
    for (const track of [0, 1]) await who.say(message(2, ...integer(other), track));
    await who.say(message(1, 1, ...integer(other), 2, 104, 105));
  }
  seen.message = [(await ada.next())[0], (await bo.next())[0]];

  seen.sound = [];
  for (const [from, to] of [[ada, bo], [bo, ada]]) {
    for (const length of [1, 80, 1017]) {
      const sealed = pattern(length, length);
      await from.sends.write(joined([0], sealed));
      const { value } = await to.datagrams.read();
      // Sender, track and length go before.
      const head = length < 64 ? 6 : 7;
      seen.sound.push(same(value.slice(head), sealed));
    }
  }

  seen.pictures = [];
  for (const [from, to] of [[ada, bo], [bo, ada]]) {
    const picture = pattern(300_000, 3);
    const writer = await group(from, joined([1, 1, 0, 0, 0, 1], picture));
    await writer.close();
    seen.pictures.push(same((await whole(to)).slice(10), picture));
  }
  const broken = await group(ada, joined([1, 1, 0, 0, 0, 2], pattern(5000, 4)));
  const half = (await bo.groups.read()).value.getReader();
  await half.read();
  await broken.abort(new WebTransportError({ streamErrorCode: 0 })).catch(() => {});
  seen.broken = await (async () => {
    while (!(await half.read()).done);
    return "ended well";
  })().catch((error) => [error.name, error.streamErrorCode]);

  // Whoever leaves is gone at once; whoever says hello twice, or in another version, is told. A browser may
  // throw away what came on the control stream just before the close, so that its code is what counts.
  bo.session.close({ closeCode: 0, reason: "" });
  const left = await ada.next();
  seen.left = [left[0], id(left) === boId];
  await ada.say(hello(VERSION));
  seen.unexpected = (await ada.session.closed).closeCode;
  const old = await participant();
  await old.say(hello(VERSION + 1));
  seen.version = (await old.session.closed).closeCode;

  const wrong = new WebTransport(`https://${host}/`, {
    serverCertificateHashes: [{ algorithm: "sha-256", value: pattern(32, 1) }],
  });
  wrong.closed.catch(() => {});
  seen.wrong = await wrong.ready.then(() => "taken", () => "refused");
  return seen;
}

/** What becomes of the meeting in a browser that `open` shows a page; a function closes it again. */
async function held(open) {
  const results = new EventTarget();
  const told = once(results, "told", { signal: AbortSignal.timeout(PATIENCE) });
  const page = `<!doctype html><title>t</title><script>
    (${meeting})(${JSON.stringify({ host: server.host, hashes: server.hashes })})
      .then((seen) => ({ seen }), (error) => ({ error: String(error) }))
      .then((told) => fetch("/", { method: "POST", body: JSON.stringify(told) }));
  </script>`;
  const web = createServer(async (request, response) => {
    if (request.method === "GET") return response.setHeader("content-type", "text/html").end(page);
    const body = Buffer.concat(await request.toArray());
    response.end();
    results.dispatchEvent(new CustomEvent("told", { detail: JSON.parse(body) }));
  });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  const close = await open(`http://localhost:${web.address().port}/`);
  try {
    const [{ detail }] = await told;
    return detail;
  } finally {
    await close();
    web.close();
    web.closeAllConnections();
  }
}

function check({ seen, error }, largest) {
  assert.equal(error, undefined);
  assert.ok(seen.datagram >= largest, `datagrams of ${seen.datagram} bytes`);
  delete seen.datagram;
  assert.deepEqual(seen, {
    welcome: [0, 1, true],
    message: [3, 3],
    sound: Array(6).fill(true),
    pictures: [true, true],
    broken: ["WebTransportError", 0],
    left: [2, true],
    unexpected: 4,
    version: 2,
    wrong: "refused",
  });
}

test("Chromium", async () => {
  const seen = await held(async (url) => {
    const browser = await launch();
    const page = await browser.newPage();
    await page.goto(url);
    return () => browser.close();
  });
  check(seen, 1024);
});

test("Firefox", { skip: existsSync(FIREFOX) ? false : "there is no Firefox here" }, async () => {
  const seen = await held(async (url) => {
    const profile = await mkdtemp(join(tmpdir(), "sottovoce-firefox-"));
    const lines = Object.entries(SETTINGS).map((pair) => `user_pref(${pair.map((part) => JSON.stringify(part)).join(", ")});\n`);
    await writeFile(join(profile, "user.js"), lines.join(""));
    const browser = spawn(FIREFOX, ["--headless", "--no-remote", "--profile", profile, url], { stdio: "ignore" });
    const gone = once(browser, "exit");
    return async () => {
      browser.kill();
      await gone;
      await rm(profile, { recursive: true, force: true });
    };
  });
  check(seen, 1024);
});
