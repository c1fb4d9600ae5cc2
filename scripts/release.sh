#!/usr/bin/env bash
# Builds a release so that its bytes tell nothing of the machine that built it: the same source and
# the same compiler give the same program in any directory.
#
#     scripts/release.sh [--static] [cargo's arguments, like --features]
#
# The program is at $CARGO_TARGET_DIR (target)/release/sottovoce; a static one, for a container or a
# machine of any kind, at target/x86_64-unknown-linux-musl/release/sottovoce (or aarch64).
set -euo pipefail
cd "$(dirname "$0")/.."

# The page is in the program. Where it is already, or is to be left out (empty), says SOTTOVOCE_PAGE.
if [ -z "${SOTTOVOCE_PAGE+said}" ]; then
    scripts/web.sh build || {
        echo "To build the program without its page, put SOTTOVOCE_PAGE= before the command." >&2
        exit 1
    }
fi

cargo=${CARGO:-cargo}
home=${CARGO_HOME:-$HOME/.cargo}
target=${CARGO_TARGET_DIR:-$PWD/target}
arguments=()
flags=("--remap-path-prefix=$PWD=/sottovoce" "--remap-path-prefix=$home=/cargo")
# The registry's folder has its host's name, which differs where a mirror stands in for it.
"$cargo" fetch --quiet --locked
for registry in "$home"/registry/src/*; do
    flags+=("--remap-path-prefix=$registry=/cargo/registry")
done
c_flags="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$target=/target"
case $home$target in
*[[:space:]]*)
    # As a shell has it, which is not how these are read unless it is said.
    c_flags=$(printf -- '-ffile-prefix-map=%q=/cargo -ffile-prefix-map=%q=/target' "$home" "$target")
    export CC_SHELL_ESCAPED_FLAGS=1
    ;;
esac

if [ "${1:-}" = --static ]; then
    shift
    triple=$(uname -m)-unknown-linux-musl
    # Without a dynamic loader, and at a random place in memory all the same.
    flags+=(-C target-feature=+crt-static -C relocation-model=pie)
    arguments=(--target "$triple")
    scripts/need.sh static
    if ! [ -d "$(rustc --print target-libdir --target "$triple")" ]; then
        if ! command -v rustup >/dev/null 2>&1; then
            echo "Rust's library for $triple is missing, and there is no rustup to add it: install Rust by https://rustup.rs, then run this again." >&2
            exit 1
        fi
        echo "Rust's library for $triple is missing, so this now runs: rustup target add $triple"
        rustup target add "$triple"
    fi
fi

# aws-lc is C: no line numbers in it that would hold paths.
export CFLAGS="$c_flags ${CFLAGS:-}" CXXFLAGS="$c_flags ${CXXFLAGS:-}"
# Split at this character alone: a path may have spaces.
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS
exec "$cargo" build --release --locked "${arguments[@]}" "$@"
