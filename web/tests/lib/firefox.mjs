// Debian's Firefox, which playwright-core cannot drive: by its own Marionette, `length:[type, id, name, content]`
// over TCP.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFERENCES = {
  "marionette.port": 0,
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "intl.accept_languages": "en-GB",
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "app.update.enabled": false,
};

export class Firefox {
  static async start() {
    const profile = await mkdtemp(join(tmpdir(), "firefox-"));
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
    await writeFile(join(profile, "user.js"), lines.join(""));
    const given = ["--headless", "--no-remote", "--marionette", "--profile", profile];
    const child = spawn(process.env.FIREFOX ?? "/usr/bin/firefox-esr", given, { stdio: "ignore" });
    const firefox = new Firefox(child, profile);
    await firefox.#connect();
    await firefox.#ask("WebDriver:NewSession", {});
    await firefox.#ask("WebDriver:SetTimeouts", { script: 60_000 });
    return firefox;
  }

  #child;
  #profile;
  #socket;
  #count = 0;
  #waiting = new Map();

  constructor(child, profile) {
    this.#child = child;
    this.#profile = profile;
  }

  async #connect() {
    for (let tries = 0; ; tries++) {
      const port = Number(await readFile(join(this.#profile, "MarionetteActivePort"), "utf8").catch(() => "0"));
      if (port > 0) this.#socket = connect(port, "127.0.0.1");
      if (this.#socket) break;
      if (tries > 300) throw new Error("Firefox does not start");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    let bytes = Buffer.alloc(0);
    this.#socket.on("data", (more) => {
      bytes = Buffer.concat([bytes, more]);
      for (let colon; (colon = bytes.indexOf(":")) > 0; ) {
        const end = colon + 1 + Number(bytes.subarray(0, colon).toString());
        if (bytes.length < end) return;
        this.#hear(JSON.parse(bytes.subarray(colon + 1, end).toString()));
        bytes = bytes.subarray(end);
      }
    });
    // It greets.
    await once(this.#socket, "data");
  }

  #hear(message) {
    if (!Array.isArray(message)) return;
    const [, id, error, result] = message;
    const { resolve, reject } = this.#waiting.get(id);
    if (error) reject(new Error(`${error.error}: ${error.message}`));
    else resolve(result);
  }

  #ask(name, content) {
    const id = (this.#count += 1);
    const text = JSON.stringify([0, id, name, content]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  go(url) {
    return this.#ask("WebDriver:Navigate", { url });
  }

  /** Calls an async function in the page. */
  async run(work, ...args) {
    const script = `const done = arguments[arguments.length - 1];
      (${work})(...[...arguments].slice(0, -1)).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const { value } = await this.#ask("WebDriver:ExecuteAsyncScript", { script, args });
    if (value.error) throw new Error(value.error);
    return value.value;
  }

  /** Waits until `find` finds something in the page. */
  until(find, ...args) {
    const script = `async (...args) => {
      for (let until = performance.now() + 30_000; performance.now() < until; ) {
        const found = (${find})(...args);
        if (found) return found === true || typeof found === "string" ? found : true;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("never came; there is: " + document.body.innerText.slice(0, 500));
    }`;
    return this.run(script, ...args);
  }

  async stop() {
    this.#socket?.destroy();
    if (this.#child.exitCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
