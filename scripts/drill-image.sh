#!/usr/bin/env bash
# The seizure drill inside the root of the container's image, with nothing else there: what
# deploy/container/Containerfile puts in, and a /proc to look into. Needs root, and no engine.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${1:-target/$(uname -m)-unknown-linux-musl/release/sottovoce}
if [ "$(id -u)" != 0 ]; then
    echo "Only root can look into the memory of another process: run this with sudo." >&2
    exit 41
fi
test -x "$program" || { echo "There is no $program yet: run \`make static\` first." >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/identity" "$root/proc" "$root/tmp"
cp "$program" "$root/sottovoce"
# Mounts are of a namespace of their own, and gone with it.
unshare --mount --pid --fork -- sh -c '
    mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/tmp"
    root=$1
    shift
    exec chroot "$root" /sottovoce drill "$@"
' sh "$root" "${@:2}"
