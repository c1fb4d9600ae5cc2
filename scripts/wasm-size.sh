#!/bin/sh
# What `meeting` weighs in a browser: builds `weigh` for wasm32-unknown-unknown, with the
# target from rustup or from Debian's packages, and prints its size as it is and compressed. Exit code
# 1 when it misses its goal.
set -eu

cargo=${CARGO:-cargo}
target=wasm32-unknown-unknown
# Compressed bytes that a browser may have to download.
goal=450000

libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
has_debian() { [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library/std ]; }
# Debian packages a compiler that can build the standard library for the target; its linker is apart.
if [ ! -d "$libraries" ] && [ "$(id -u)" = 0 ] && apt-cache show rustc-web >/dev/null 2>&1; then
    has_debian || scripts/need.sh wasm
    scripts/need.sh wasm-size
fi
set -- build --quiet --locked -p weigh --profile wasm --target "$target"
if [ -n "$libraries" ] && [ -d "$libraries" ]; then
    "$cargo" "$@"
    built=target/$target/wasm/weigh.wasm
elif has_debian; then
    # The linker that comes with rustup does as well.
    linker=$(command -v wasm-ld || true)
    if [ -z "$linker" ]; then
        linker=$(find "$(rustc --print sysroot)" -path '*gcc-ld/wasm-ld' 2>/dev/null | head -n 1)
    fi
    if [ -z "$linker" ]; then
        echo "wasm-ld is missing. Install it, for example: sudo apt-get install lld" >&2
        exit 1
    fi
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        /usr/bin/cargo "$@" -Zbuild-std=std,panic_abort --target-dir target/debian
    built=target/debian/$target/wasm/weigh.wasm
else
    echo "$target is not installed. Install it with \`rustup target add $target\`" >&2
    echo "or, on Debian, \`apt-get install rustc-web cargo-web rust-web-src lld\`." >&2
    exit 1
fi

size() { wc -c | tr -d ' '; }
raw=$(size <"$built")
gzipped=$(gzip -9 -c "$built" | size)
echo "meeting for $target: $raw bytes"
echo "gzip -9:   $gzipped bytes"
smallest=$gzipped
if command -v brotli >/dev/null 2>&1; then
    smallest=$(brotli -q 11 -c "$built" | size)
    echo "brotli 11: $smallest bytes"
fi
echo "goal:      under $goal bytes compressed"
[ "$smallest" -lt "$goal" ] || { echo "The goal is missed." >&2; exit 1; }
