#!/usr/bin/env bash
# Builds the program twice, in two directories with names of different length, from what git has,
# and compares the bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$(git status --porcelain)" ]; then
    echo "There are changes that are not committed; this compares what is."
fi
hashes=()
for place in one another/place; do
    mkdir -p "$work/$place"
    git archive HEAD | tar -x -C "$work/$place"
    echo "Building in a directory called $place ..."
    (unset CARGO_TARGET_DIR; "$work/$place/scripts/release.sh" --quiet "$@")
    program=$(find "$work/$place/target" -path '*release/sottovoce' -type f)
    hashes+=("$(sha256sum "$program" | cut -d ' ' -f 1)")
    echo "${hashes[-1]}  $place"
    "$program" --version
    rm -rf "${work:?}/$place"
done
if [ "${hashes[0]}" != "${hashes[1]}" ]; then
    echo "The two differ: something of the directory or of the moment is in the program." >&2
    exit 1
fi
echo "The same bytes. With this source, $(rustc --version), $(cc --version | head -n 1), and Node $(node --version)."
