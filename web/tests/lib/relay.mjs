// A real relay on this machine, links to meetings on it, and native participants.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The program that was built last, or the one that SOTTOVOCE names. */
function newest() {
  if (process.env.SOTTOVOCE) return process.env.SOTTOVOCE;
  const built = ["release", "debug"]
    .map((profile) => fileURLToPath(new URL(`../../../target/${profile}/sottovoce`, import.meta.url)))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs }))
    .filter(({ at }) => at !== undefined)
    .sort((one, other) => other.at - one.at);
  if (built.length === 0) throw new Error("There is no sottovoce to test with: run `make build`, or set SOTTOVOCE.");
  return built[0].path;
}

export const program = newest();

/** Lines of JSON that a program prints, as they come. */
function events(child) {
  const all = [];
  const waiting = new Set();
  createInterface({ input: child.stdout }).on("line", (line) => {
    all.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const until = (wanted, milliseconds = 15_000) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`never came; there was ${JSON.stringify(all.slice(-6))}`)), milliseconds);
      const look = () => {
        const found = all.find(wanted);
        if (!found) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { all, until };
}

async function ended(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

/** `start` gives it the same address and identity again. */
export async function startRelay(more = []) {
  const folder = await mkdtemp(join(tmpdir(), "relay-"));
  let child;
  const begin = async (listen) => {
    const given = ["relay", "--json", "--listen", listen, "--identity", join(folder, "identity"), ...more];
    child = spawn(program, given, { stdio: ["ignore", "pipe", "inherit"] });
    const { until } = events(child);
    return (await until(({ event }) => event === "ready")).address;
  };
  const address = await begin("127.0.0.1:0");
  const { host, hash } = new URL(address);
  return {
    address,
    host,
    /** Of its certificates. */
    hashes: hash.slice(1).split("."),
    stop: (signal = "SIGTERM") => ended(child, signal),
    start: () => begin(host),
    async end() {
      await ended(child, "SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function invite(relay, more = []) {
  const { stdout } = await promisify(execFile)(program, ["invite", "--json", "--relay", relay.address, ...more]);
  const links = JSON.parse(stdout);
  return { meeting: links.meeting_link, host: links.host_link, cohosts: links.co_host_links ?? [] };
}

/** A participant without a browser. `say` takes what one would type. */
export function joinNatively(link, name, more = []) {
  const child = spawn(program, ["join", link, "--name", name, "--json", "--commands", ...more], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return {
    ...events(child),
    say: (line) => child.stdin.write(`${line}\n`),
    end: () => ended(child, "SIGTERM"),
  };
}
