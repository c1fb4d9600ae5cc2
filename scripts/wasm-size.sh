#!/bin/sh
# What `meeting` weighs in a browser: builds `weigh` for wasm32-unknown-unknown, and prints its size as it
# is and compressed. Exit code 1 when it misses its goal.
set -eu

# Compressed bytes that a browser may have to download.
goal=450000

. scripts/wasm-target.sh
need_wasm
wasm_cargo build -p weigh --profile wasm
built=$wasm_built/wasm/weigh.wasm

echo "meeting for $target: $(size <"$built") bytes"
echo "gzip -9:    $(gzip -9 -c "$built" | size) bytes"
smallest=$(pressed <"$built" | size)
echo "compressed: $smallest bytes (goal: under $goal)"
[ "$smallest" -lt "$goal" ] || { echo "The goal is missed." >&2; exit 1; }
