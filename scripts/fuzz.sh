#!/bin/sh
# Runs each fuzz target for a while (30 s unless SECONDS_EACH says otherwise).
set -eu
command -v cargo-fuzz >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz
for target in $(cargo fuzz list); do
    echo "fuzzing $target"
    cargo +nightly fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-30}" -verbosity=0 -print_final_stats=0
done
