#!/bin/sh
# Sees to it that the system packages for a task are there: installs them with apt when we are
# root, having said so, else says which to install.
set -eu

# COMMAND:PACKAGE
case "${1:-}" in
build) pairs="cc:gcc cmake:cmake make:make" ;;
media) pairs="ffmpeg:ffmpeg ffprobe:ffmpeg" ;;
static) pairs="musl-gcc:musl-tools" ;;
deb) pairs="dpkg-deb:dpkg dpkg-shlibdeps:dpkg-dev" ;;
node) pairs="node:nodejs npm:npm" ;;
browser) pairs="node:nodejs npm:npm chromium:chromium firefox-esr:firefox-esr" ;;
# What the service file is judged by.
units) pairs="strace:strace systemd-analyze:systemd" ;;
# Sources of the standard library are no command: whoever asks has found them missing.
wasm) pairs="/usr/bin/cargo:cargo-web /usr/bin/rustc:rustc-web -:rust-web-src" ;;
# Where rustup, whose own linker does as well, is not.
wasm-link) pairs="wasm-ld:lld" ;;
*)
    echo "usage: $0 build|static|deb|media|node|browser|units|wasm|wasm-link" >&2
    exit 2
    ;;
esac

if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is not installed (no cargo on the PATH). See https://rustup.rs, then run this again." >&2
    exit 1
fi

missing=""
for pair in $pairs; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "These packages are missing: $missing"
    echo "You are root, so this now runs: apt-get update && apt-get install -y --no-install-recommends $missing"
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "apt-get could not install: $missing" >&2
        exit 1
    fi
    rm -f "$log"
else
    echo "These packages are missing: $missing" >&2
    echo "Install them, for example: sudo apt-get install $missing" >&2
    exit 1
fi
