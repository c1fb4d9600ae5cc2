// A relay of its own for a test: the program that was built last, or the one that SOTTOVOCE names.
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

function program() {
  if (process.env.SOTTOVOCE) return process.env.SOTTOVOCE;
  const built = ["release", "debug"]
    .map((profile) => fileURLToPath(new URL(`../../../target/${profile}/sottovoce`, import.meta.url)))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs }))
    .filter(({ at }) => at !== undefined)
    .sort((one, other) => other.at - one.at);
  if (built.length === 0) throw new Error("there is no relay to test with: run `make build` first");
  return built[0].path;
}

/** A relay on a free port of loopback: its host and port, and its certificates' hashes. */
export async function relay() {
  const child = spawn(program(), ["relay", "--json", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { address } = JSON.parse(line);
    if (address === undefined) continue;
    child.stdout.resume();
    const { host, hash } = new URL(address);
    return { host, hashes: hash.slice(1).split("."), stop: () => child.kill() };
  }
  throw new Error("the relay did not start");
}
