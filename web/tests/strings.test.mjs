// Strings: each translation holds what the English one holds, and says numbers and names as it should.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { LANGUAGES, preferred, sayIn } = await source("src/strings/index.ts");
const files = { en: "en", it: "it", "zh-Hans": "zh-hans", "zh-Hant": "zh-hant", ug: "ug", bo: "bo" };
const tables = {};
for (const [tag, file] of Object.entries(files)) {
  tables[tag] = Object.values(await source(`src/strings/${file}.ts`))[0];
}
const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const texts = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry));
const visible = (text) => text.replace(/[\u2066\u2068\u2069]/g, "");

test("every translation fills in what the English one fills in", () => {
  for (const [tag, table] of Object.entries(tables)) {
    for (const [key, entry] of Object.entries(table)) {
      if (entry === null) continue;
      const wanted = names(texts(tables.en[key])[0]);
      for (const text of texts(entry)) assert.deepEqual(names(text), wanted, `${tag} ${key}`);
    }
  }
});

test("a language has a form for each of its plural rules", () => {
  for (const [tag, table] of Object.entries(tables)) {
    const rules = new Intl.PluralRules(tag);
    const used = new Set(Array.from({ length: 200 }, (_, n) => rules.select(n)));
    for (const [key, entry] of Object.entries(table)) {
      if (entry === null || typeof entry === "string" || ["ug", "bo"].includes(tag)) continue;
      for (const rule of used) assert.ok(rule in entry, `${tag} ${key} ${rule}`);
    }
  }
});

test("English, Italian and Chinese are whole", () => {
  for (const tag of ["en", "it", "zh-Hans", "zh-Hant"]) {
    for (const [key, entry] of Object.entries(tables[tag])) assert.ok(entry, `${tag} ${key}`);
  }
});

test("every string is used somewhere", async () => {
  const folder = new URL("../src/ui/", import.meta.url);
  let all = "";
  for (const file of await readdir(folder)) all += await readFile(new URL(file, folder), "utf8");
  for (const key of Object.keys(tables.en)) assert.ok(all.includes(`"${key}"`), key);
});

test("numbers, names, and English where nothing is translated", () => {
  assert.equal(sayIn("en")("people", { count: 1 }), "1 person");
  assert.equal(sayIn("it")("people", { count: 1200 }), "1200 persone");
  assert.equal(visible(sayIn("zh-Hans")("removeAsk", { name: "{name}" })), "移出 {name}？");
  assert.equal(visible(sayIn("bo")("lobbyFull")), tables.en.lobbyFull);
  // A name keeps its own direction, and English among right-to-left text, too.
  assert.equal(sayIn("en")("noticeJoined", { name: "ئايگۈل" }), "\u2068ئايگۈل\u2069 is here");
  assert.equal(sayIn("ug")("lobbyFullHelp"), `\u2066${tables.en.lobbyFullHelp}\u2069`);
});

test("the browser's languages are followed", () => {
  assert.equal(preferred(["zh-TW", "en"]), "zh-Hant");
  assert.equal(preferred(["zh-HK"]), "zh-Hant");
  assert.equal(preferred(["zh-CN"]), "zh-Hans");
  assert.equal(preferred(["de-DE", "it-CH"]), "it");
  assert.equal(preferred(["ug-CN"]), "ug");
  assert.equal(preferred(["ug-Cyrl"]), "en");
  assert.equal(preferred(["bo", "zh"]), "bo");
  assert.equal(preferred(["xx-invalid-", "fr"]), "en");
  assert.equal(LANGUAGES.length, Object.keys(files).length);
});
