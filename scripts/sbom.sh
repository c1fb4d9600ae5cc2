#!/usr/bin/env bash
# What the program is made of, as a CycloneDX list: target/sottovoce.cdx.json.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo cyclonedx --version >/dev/null 2>&1; then
    echo "cargo-cyclonedx is missing, so this now runs: cargo install --locked cargo-cyclonedx"
    cargo install --quiet --locked cargo-cyclonedx
fi
# The same list for the same commit.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
cargo cyclonedx --quiet --format json --target "$(rustc -vV | sed -n 's/^host: //p')" --override-filename sottovoce.cdx
mkdir -p target
# Where it was made is nobody's business, as in the program.
sed "s|path+file://$PWD|path+file:///sottovoce|g" sottovoce.cdx.json >target/sottovoce.cdx.json
find . -path ./target -prune -o -name sottovoce.cdx.json -exec rm {} +
echo "target/sottovoce.cdx.json lists $(grep -c '"purl"' target/sottovoce.cdx.json) packages."
