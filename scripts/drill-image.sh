#!/usr/bin/env bash
# The seizure drill inside the root of the container's image, with nothing else there: what
# deploy/container/Containerfile puts in, a /proc to look into, and /dev/null, which engines add.
# Needs root, and no engine.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${1:-target/static/sottovoce}
if [ "$(id -u)" != 0 ]; then
    echo "Only root can look into the memory of another process: run this with sudo." >&2
    exit 41
fi
test -x "$program" || { echo "There is no $program yet: run \`make static\` first." >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# The relay in there is another user's.
chmod 755 "$root"
mkdir -m 755 "$root/identity" "$root/proc" "$root/tmp" "$root/dev"
: > "$root/dev/null"
cp "$program" "$root/sottovoce"
# Mounts are of a namespace of their own, and gone with it; so are processes.
unshare --mount --pid --fork --kill-child -- sh -euc '
    mount -t proc proc "$1/proc"
    mount -t tmpfs tmpfs "$1/tmp"
    mount --bind /dev/null "$1/dev/null"
    root=$1
    shift
    exec env TMPDIR=/tmp chroot "$root" /sottovoce drill "$@"
' sh "$root" "${@:2}"
