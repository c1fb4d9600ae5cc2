#!/bin/sh
# Puts the implementations by others that tests compare ours with where the tests find them:
# tests/judges/node_modules, at the versions and hashes of the lock file there.
set -eu
here=$(dirname "$0")
"$here/need.sh" node

# Ed25519 and X25519 of WebCrypto; what Debian 12 and Ubuntu 24.04 have is enough.
oldest=18
if [ "$(node -p 'parseInt(process.versions.node)')" -lt "$oldest" ]; then
    echo "Node $(node --version) is too old. Install Node $oldest or newer (https://nodejs.org), then run this again." >&2
    exit 1
fi

cd "$here/../tests/judges"
installed=node_modules/installed-lock.json
cmp -s package-lock.json "$installed" && exit 0
echo "This now runs in tests/judges: npm ci --ignore-scripts --omit=peer"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Peers are for suites that no meeting has.
if ! npm ci --ignore-scripts --omit=peer --no-audit --no-fund >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "npm could not install what tests/judges/package-lock.json names." >&2
    exit 1
fi
cp package-lock.json "$installed"
