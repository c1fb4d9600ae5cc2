// A real relay on this machine, links to meetings on it, and native participants.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const target = (name) => fileURLToPath(new URL(`../../../target/${name}/sottovoce`, import.meta.url));
const built = [process.env.SOTTOVOCE, target("release"), target("debug")].filter((path) => path && existsSync(path));
if (built.length === 0) throw new Error("There is no sottovoce to test with: run `make build`, or set SOTTOVOCE.");
export const [program] = built;

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

/** `restart` gives it the same address and identity again. */
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
  const { host } = new URL(address);
  return {
    address,
    host,
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
