// From 1 to 49 tiles fill a field of any size: none sticks out, none is too small, and few pages do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./lib/source.mjs";

const { fit, MOST } = await source("src/ui/fit.ts");
const FIELDS = [[340, 560], [340, 250], [800, 900], [1420, 720], [1060, 720], [2500, 1300]];
const GAP = 8;

for (const [width, height] of FIELDS) {
  test(`tiles in ${width} × ${height}`, () => {
    for (let count = 0; count <= 130; count++) {
      const { columns, perPage, pages, width: w, height: h } = fit(count, width, height, GAP);
      const rows = Math.ceil(perPage / columns);
      const at = `${count} tiles`;
      assert.ok(perPage >= 1 && perPage <= MOST, at);
      assert.ok(perPage * pages >= count, at);
      assert.ok(columns * w + (columns - 1) * GAP <= width, at);
      assert.ok(rows * h + (rows - 1) * GAP <= height, at);
      assert.ok(perPage === 1 || (w >= 128 && h >= 90), at);
      assert.ok(w / h <= 16 / 9 + 0.05 && w / h >= 3 / 4 - 0.05, at);
    }
  });
}

test("49 fit a desktop's window at once", () => {
  assert.equal(fit(49, 1420, 720, GAP).pages, 1);
  assert.equal(fit(50, 2500, 1300, GAP).pages, 2);
});

test("one alone has the whole field", () => {
  const { width, height } = fit(1, 1600, 900, GAP);
  assert.deepEqual([width, height], [1600, 900]);
});
