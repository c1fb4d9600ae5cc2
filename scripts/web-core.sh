#!/bin/sh
# web/core for a page: builds it for wasm32-unknown-unknown in release, makes web/core/pkg of it
# (`sottovoce_bg.wasm`, `sottovoce.js`, `sottovoce.d.ts`), and prints what a browser downloads.
set -eu

# Compressed bytes of the module and of what loads it.
goal=341000
out=web/core/pkg

. scripts/wasm-target.sh
need_wasm
wasm_smaller
# What wasm-bindgen looks for is in what would be stripped; it strips the rest itself.
export CARGO_PROFILE_WASM_OPT_LEVEL=z CARGO_PROFILE_WASM_STRIP=false
wasm_cargo build -p sottovoce-web --profile wasm
# By the library behind wasm-bindgen's program, so that its version is that of Cargo.lock.
"$cargo" run --quiet --locked -p bind -- "$wasm_built/wasm/sottovoce_web.wasm" "$out"

whole() { cat "$out/sottovoce_bg.wasm" "$out/sottovoce.js"; }
echo "$out: $(whole | size) bytes, by $($wasm_rustc --version) for $wasm_built"
echo "gzip -9:    $(whole | gzip -9 -c | size) bytes"
smallest=$(whole | pressed | size)
echo "compressed: $smallest bytes (goal: under $goal)"
[ "$smallest" -lt "$goal" ] || echo "note: the goal is missed." >&2
