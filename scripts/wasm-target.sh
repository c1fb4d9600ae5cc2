# For `.`: how to build for wasm32-unknown-unknown here, with the target from rustup or from Debian's
# packages, which build the standard library for it (as root they are installed when they are missing).
#
# `wasm_cargo` is cargo for that target, and `wasm_built` the folder where it puts what it builds; that is
# empty where neither is there. Where the standard library is built here, `wasm_smaller` makes what follows
# smaller by what only a compiler that builds it can do.

cargo=${CARGO:-cargo}
target=wasm32-unknown-unknown
wasm_built=
wasm_rustc=rustc
wasm_flags=
wasm_std=

# Flags for the compiler, apart as cargo takes those in which there may be spaces. As in scripts/release.sh:
# nobody is to read in a page where it was built, and by whom.
wasm_encoded() {
    home=${CARGO_HOME:-$HOME/.cargo}
    "$cargo" fetch --quiet --locked >&2
    printf '%s' "--remap-path-prefix=$PWD=/sottovoce"
    printf '\037%s' "--remap-path-prefix=$home=/cargo"
    for registry in "$home"/registry/src/*; do
        printf '\037%s' "--remap-path-prefix=$registry=/cargo/registry"
    done
    for flag in $*; do
        printf '\037%s' "$flag"
    done
}

libraries=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
has_debian() { [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library/std ]; }
by_rustup() {
    wasm_built=target/$target
    wasm_cargo() {
        CARGO_ENCODED_RUSTFLAGS=$(wasm_encoded "${RUSTFLAGS:-}") "$cargo" "$@" --quiet --locked --target "$target"
    }
}
if [ -n "$libraries" ] && [ -d "$libraries" ]; then
    by_rustup
else
    if ! has_debian && [ "$(id -u)" = 0 ] && apt-cache show rustc-web >/dev/null 2>&1; then
        scripts/need.sh wasm
    fi
    if has_debian; then
        wasm_built=target/debian/$target
        wasm_rustc=/usr/bin/rustc
        # The linker that comes with rustup does as well as that of the package lld.
        linker=$(command -v wasm-ld || find "$(rustc --print sysroot)/lib/rustlib" -name rust-lld 2>/dev/null | head -n 1)
        # As cargo from rustup would choose it, the compiler must be named.
        wasm_cargo() {
            CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=${linker:-wasm-ld} RUSTC=$wasm_rustc \
                RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS=$(wasm_encoded "${RUSTFLAGS:-} $wasm_flags") \
                /usr/bin/cargo "$@" --quiet --locked --target "$target" -Zbuild-std=std,panic_abort $wasm_std --target-dir target/debian
        }
    fi
fi

# A fault ends the module without a word of where, or of what was in hand: no text of any is in it.
wasm_smaller() {
    [ "$wasm_built" != "target/$target" ] || return 0
    wasm_flags="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none"
    wasm_std=-Zbuild-std-features=optimize_for_size
    # Compilers from before 1.92 do not know the first of them.
    if ! RUSTC_BOOTSTRAP=1 /usr/bin/rustc $wasm_flags --print cfg >/dev/null 2>&1; then
        wasm_flags=
    fi
}

# For who cannot do without.
need_wasm() {
    if [ -z "$wasm_built" ] && command -v rustup >/dev/null 2>&1; then
        echo "Rust's library for $target is missing, so this now runs: rustup target add $target"
        if rustup target add "$target"; then by_rustup; fi
    fi
    if [ -z "$wasm_built" ]; then
        echo "$target is not installed. Install it with \`rustup target add $target\`" >&2
        echo "or, on Debian, \`apt-get install rustc-web cargo-web rust-web-src lld\`." >&2
        exit 1
    fi
    if [ "$wasm_built" != "target/$target" ] && [ -z "$linker" ]; then
        scripts/need.sh wasm-link
    fi
}

# How many bytes come in, and how many they are when a web server presses them.
size() { wc -c | tr -d ' '; }
pressed() {
    if command -v brotli >/dev/null 2>&1; then
        brotli -q 11 -c
    elif command -v node >/dev/null 2>&1; then
        node -e 'process.stdout.write(require("zlib").brotliCompressSync(require("fs").readFileSync(0)))'
    else
        gzip -9 -c
    fi
}
