#!/bin/sh
# `wire` and `meeting` are what the browser client stands on: checks that they build without the
# native part, and for wasm32-unknown-unknown, with the target from rustup or from Debian's packages.
set -eu

cargo=${CARGO:-cargo}
target=wasm32-unknown-unknown

"$cargo" check --quiet --locked --lib --no-default-features --features meeting
echo "wire and meeting build without the native part"

libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
if [ -n "$libraries" ] && [ -d "$libraries" ]; then
    "$cargo" check --quiet --locked --lib --no-default-features --features meeting --target "$target"
    echo "wire and meeting build for $target"
    exit 0
fi

# Debian packages a compiler that can build the standard library for the target.
has_debian() { [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library/std ]; }
if ! has_debian && [ "$(id -u)" = 0 ] && apt-cache show rustc-web >/dev/null 2>&1; then
    scripts/need.sh wasm
fi
if has_debian; then
    # As cargo from rustup would choose it, the compiler must be named.
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo check --quiet --locked --lib \
        --no-default-features --features meeting --target "$target" -Zbuild-std=std,panic_abort \
        --target-dir target/debian
    echo "wire and meeting build for $target"
    exit 0
fi

echo "note: $target is not installed, so the build for it was not checked. Install it with" >&2
echo "\`rustup target add $target\` or, on Debian, \`apt-get install rustc-web cargo-web rust-web-src\`." >&2
