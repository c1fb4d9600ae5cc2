// A real browser without a window, with made-up devices, and an ear for everything that it complains of.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const executable = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

export function launch() {
  return chromium.launch({ executablePath: executable, args: ARGUMENTS });
}

/** A page in a context of its own; `complaints` fills with all that must not happen. `prepare` runs in it first. */
export async function open(browser, url, { prepare, ...options } = {}) {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = [];
  const { origin } = new URL(url);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("blob:")) {
      complaints.push(`request: ${request.url()}`);
    }
  });
  await page.exposeFunction("complain", (text) => complaints.push(text));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.complain(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  if (prepare) await page.addInitScript(prepare);
  await page.goto(url);
  return { page, context, complaints };
}

/** What axe-core finds, in words. */
export async function accessibility(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(
    (rules) => globalThis.axe.run(document, { runOnly: rules, resultTypes: ["violations"] }),
    RULES,
  );
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target, any }) => `${target} (${any[0]?.message ?? ""})`).slice(0, 4).join("; ")}`,
  );
}

/** How many pixels the page is wider than its window, and what sticks out. */
export function overflow(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - width;
    const scrolls = (element) => {
      for (let up = element.parentElement; up; up = up.parentElement) {
        const { overflowX } = getComputedStyle(up);
        if (overflowX !== "visible") return true;
      }
      return false;
    };
    const out = [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.closest(".unseen, .skip")) return false;
      return (box.right > width + 1 || box.left < -1) && !scrolls(element);
    });
    return over > 0 || out.length > 0
      ? `${over} px; ${out.slice(0, 3).map((element) => `${element.tagName}.${element.className}`).join(", ")}`
      : null;
  });
}
