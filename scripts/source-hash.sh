#!/bin/sh
# The hash of the source, as `sottovoce --version` names it: of the list of the hashes of all files
# that decide over the program.
set -eu
cd "$(dirname "$0")/.."
find Cargo.lock Cargo.toml build.rs src -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum | cut -d ' ' -f 1
