#!/bin/sh
# The page: `web.sh build` makes web/dist, `web.sh test` tries it in a real browser. Packages are taken at
# the versions and hashes of web/package-lock.json, and none of them runs anything when it is installed.
set -eu
here=$(dirname "$0")
case "${1:-}" in
build)
    "$here/need.sh" node
    # What Debian 12 has.
    oldest=18
    ;;
test)
    "$here/need.sh" browser
    # What playwright-core needs.
    oldest=20
    ;;
*)
    echo "usage: $0 build|test" >&2
    exit 2
    ;;
esac

if [ "$(node -p 'parseInt(process.versions.node)')" -lt "$oldest" ]; then
    echo "Node $(node --version) is too old. Install Node $oldest or newer (https://nodejs.org), then run this again." >&2
    exit 1
fi

cd "$here/../web"
installed=node_modules/installed-lock.json
if ! cmp -s package-lock.json "$installed"; then
    echo "This now runs in web: npm ci --ignore-scripts"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! npm ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "npm could not install what web/package-lock.json names." >&2
        exit 1
    fi
    cp package-lock.json "$installed"
fi

# The page has web/core in it: built where it is not there, or older than what it is made of.
core=core/pkg/sottovoce_bg.wasm
if [ ! -e "$core" ] || [ -n "$(find core/src core/Cargo.toml ../Cargo.lock ../src/meeting ../src/stay ../src/wire -newer "$core" -print -quit)" ]; then
    (cd .. && scripts/web-core.sh)
fi

# Cargo watches what was there when it looked, and this file of those that tell it to look again.
[ -d dist ] || touch ../build.rs
npm run --silent build
echo "the page's hash: $(../scripts/page-hash.sh)"
[ "$1" = build ] || npm run --silent test
