// What people do in a meeting's pages, each in a browser context of their own.
import { open } from "./browser.mjs";

const VIEW = { viewport: { width: 1000, height: 700 } };
/** Several pages that encode and decode at a time, on a machine of two cores that does other things, too. */
const PATIENCE_MS = 60_000;

export class Someone {
  static async at(browser, origin, link, name, options = {}) {
    const fragment = link.slice(link.indexOf("#"));
    const opened = await open(browser, `${origin}/${fragment}`, { ...VIEW, ...options });
    const someone = new Someone(opened, name);
    await someone.write();
    return someone;
  }

  /** At a vigil, with nothing but the eyes. */
  static async watching(browser, origin, link, options = {}) {
    const opened = await open(browser, `${origin}/${link.slice(link.indexOf("#"))}`, { ...VIEW, ...options });
    const viewer = new Someone(opened, "a viewer");
    await viewer.button("Watch").click();
    return viewer;
  }

  constructor({ page, context, complaints }, name) {
    Object.assign(this, { page, context, complaints, name });
    page.setDefaultTimeout(PATIENCE_MS);
  }

  button(name, where = this.page) {
    return where.getByRole("button", { name }).first();
  }

  /** The name, and in. */
  async write() {
    await this.page.getByLabel("Your name, as others see it").fill(this.name);
    await this.page.locator("form button[type=submit]").click();
  }

  inside(timeout = PATIENCE_MS) {
    return this.page.locator(".meeting").waitFor({ timeout });
  }

  heading(name, timeout = PATIENCE_MS) {
    return this.page.getByRole("heading", { name }).waitFor({ timeout });
  }

  async panel(name) {
    const control = this.page.locator(`#control-${name}`);
    if ((await control.getAttribute("aria-expanded")) !== "true") await control.click();
  }

  async admit(name) {
    await this.panel("host");
    await this.button(`Admit: ${name}`).click();
  }

  async people() {
    await this.panel("people");
    const names = await this.page.locator(".person-words bdi").allTextContents();
    return names.sort();
  }

  /** Waits until these are the people. */
  async sees(...names) {
    await this.panel("people");
    const wanted = JSON.stringify([...names].sort());
    await this.page.waitForFunction(
      (wanted) => JSON.stringify([...document.querySelectorAll(".person-words bdi")].map((one) => one.textContent).sort()) === wanted,
      wanted,
    );
  }

  async say(text) {
    await this.panel("chat");
    await this.page.getByLabel("Write to everyone").fill(text);
    await this.page.keyboard.press("Enter");
  }

  async reads(text, from) {
    await this.panel("chat");
    const line = this.page.locator(".line", { hasText: text });
    await line.waitFor();
    return from === undefined || (await line.locator("bdi").textContent()) === from;
  }

  /** Waits until somebody's picture has changed this many times, and says how wide it is. */
  seesMoving(name, changes = 3, timeout = PATIENCE_MS) {
    return this.page.evaluate(
      async ({ name, changes, timeout }) => {
        const small = new OffscreenCanvas(16, 9).getContext("2d", { willReadFrequently: true });
        const until = performance.now() + timeout;
        let before = "";
        for (let seen = -1; performance.now() < until; ) {
          const tile = [...document.querySelectorAll(".tile")].find((one) => one.querySelector(".tile-name")?.textContent === name);
          const canvas = tile?.querySelector("canvas");
          if (canvas) {
            small.drawImage(canvas, 0, 0, 16, 9);
            const now = small.getImageData(0, 0, 16, 9).data.join();
            if (now !== before) seen += 1;
            before = now;
            if (seen > changes) return canvas.width;
          }
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        throw new Error(`the picture of ${name} does not move`);
      },
      { name, changes, timeout },
    );
  }

  async leave() {
    await this.page.locator(".controls .leave").click();
    const dialog = this.page.locator("dialog[open]");
    if (await dialog.count()) await dialog.getByRole("button", { name: "Leave" }).click();
    await this.heading("You have left");
  }

  /** As with the browser's button; whoever is in a meeting is asked, and says yes. */
  async reload() {
    this.page.once("dialog", (dialog) => dialog.accept());
    await this.page.evaluate(() => void setTimeout(() => location.reload()));
    await this.page.getByText("This page was loaded anew").waitFor();
  }

  close() {
    return this.context.close();
  }
}
