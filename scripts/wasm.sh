#!/bin/sh
# `wire`, `stay` and `meeting` are what the browser client stands on: checks that they build without the
# native part, and that they and the binding for browsers build for wasm32-unknown-unknown.
set -eu

. scripts/wasm-target.sh

"$cargo" check --quiet --locked --lib --no-default-features --features meeting
echo "wire, stay and meeting build without the native part"

if [ -n "$wasm_built" ]; then
    wasm_cargo check -p sottovoce-web
    echo "wire, stay, meeting and web/core build for $target"
    exit 0
fi

echo "note: $target is not installed, so the build for it was not checked. Install it with" >&2
echo "\`rustup target add $target\` or, on Debian, \`apt-get install rustc-web cargo-web rust-web-src\`." >&2
