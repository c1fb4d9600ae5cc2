#!/bin/sh
# The hash of the page in web/dist, as `sottovoce --version` names that of its own: of the list of the
# hashes of all its files, without those that are compressed.
#
#     scripts/page-hash.sh
#     scripts/page-hash.sh https://relay.example.org    # of the same files as somebody serves them
set -eu
cd "$(dirname "$0")/../web/dist" || { echo "There is no page yet: run \`make web\` first." >&2; exit 1; }
find . -type f ! -name '*.br' | sed 's|^\./||' | LC_ALL=C sort | while read -r name; do
    case ${1:-} in
    '') sha256sum "$name" ;;
    # A file of its own, so that one that cannot be had is no empty one. Browsers are sent the compressed copies.
    *)
        got=$(mktemp)
        if curl --silent --show-error --fail --compressed --output "$got" "${1%/}/$name"; then
            echo "$(sha256sum <"$got" | cut -d ' ' -f 1)  $name"
        else
            echo "not had  $name"
        fi
        rm -f "$got"
        ;;
    esac
done | sha256sum | cut -d ' ' -f 1
