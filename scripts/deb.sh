#!/bin/sh
# A Debian package of a program that is built already: target/debian/sottovoce_VERSION_ARCH.deb. Which
# program it is and for which target (that of this machine) may be said:
#
#     scripts/deb.sh [PROGRAM [TARGET]]
set -eu

program=${1:-target/release/sottovoce}
target=${2:-}
cd "$(dirname "$0")/.."
[ -x "$program" ] || { echo "There is no $program yet: run \`make build\` first." >&2; exit 1; }
scripts/need.sh deb
if ! command -v cargo-deb >/dev/null 2>&1; then
    echo "cargo-deb is missing, so this now runs: cargo install --locked cargo-deb"
    cargo install --locked --quiet cargo-deb
fi

# What the package installs, under the names of Cargo.toml ([package.metadata.deb]).
stage=target/deb
rm -rf "$stage"
mkdir -p "$stage"
# As it was built, not stripped: its hash is the one that `make reproduce` shows.
cp "$program" "$stage/sottovoce"
for unit in deploy/*.service deploy/*.socket; do
    sed 's|/usr/local/bin|/usr/bin|' "$unit" >"$stage/$(basename "$unit")"
done
# The port of sottovoce.socket.
sed -e 's|^define relay = .*|define relay = 443|' -e 's|deploy/notrack|/etc/sottovoce/notrack|' \
    deploy/notrack.nft >"$stage/notrack.nft"

rm -f target/debian/sottovoce_*.deb
cargo deb --no-build --locked --quiet ${target:+--target "$target"} --output target/debian/
