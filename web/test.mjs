// Runs the page's tests, those in the files that are named or all. Browsers on a machine that does other things
// besides are late at times: what fails is run once more, its file alone, and counts if it fails again. It is
// named either way.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL(".", import.meta.url));
const all = readdirSync(join(web, "tests")).filter((name) => name.endsWith(".test.mjs")).sort().map((name) => `tests/${name}`);

/** Which of these files have a test that failed; `null`: the run itself broke. */
function failing(files) {
  const folder = mkdtempSync(join(tmpdir(), "page-tests-"));
  const report = join(folder, "tap");
  const given = [
    "--test", "--test-concurrency=1", "--test-reporter=spec", "--test-reporter-destination=stdout",
    "--test-reporter=tap", `--test-reporter-destination=${report}`, ...files,
  ];
  const { status } = spawnSync(process.execPath, given, { cwd: web, stdio: "inherit" });
  const tap = readFileSync(report, "utf8");
  rmSync(folder, { recursive: true });
  if (status === 0) return [];
  const found = new Set();
  for (const [, place] of tap.matchAll(/^not ok [^]*?location: '(.*?):\d+:\d+'/gm)) found.add(relative(web, place));
  return found.size > 0 ? [...found] : null;
}

const named = process.argv.slice(2);
const first = failing(named.length > 0 ? named : all);
if (first === null) process.exit(1);
if (first.length === 0) process.exit(0);
console.log(`\nOnce more, alone: ${first.join(", ")}\n`);
const again = first.filter((file) => failing([file])?.length !== 0);
const shaky = first.filter((file) => !again.includes(file));
if (shaky.length > 0) console.log(`\nFailed once, and passed alone: ${shaky.join(", ")}`);
if (again.length > 0) console.log(`\nFailed twice: ${again.join(", ")}`);
process.exit(again.length > 0 ? 1 : 0);
