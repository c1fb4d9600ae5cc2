#!/bin/sh
# Runs each fuzz target for a while (30 s unless SECONDS_EACH says otherwise).
set -eu
if ! command -v cargo-fuzz >/dev/null 2>&1; then
    echo "cargo-fuzz is missing, so this now runs: cargo install --locked cargo-fuzz"
    cargo install --locked --quiet cargo-fuzz
fi
for target in $(cargo fuzz list); do
    echo "fuzzing $target"
    cargo +nightly fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-30}" -verbosity=0 -print_final_stats=0
done
