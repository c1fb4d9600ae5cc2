#!/bin/sh
# A relay on this machine, a fresh meeting link, and the lines to paste into two more terminals.
set -eu

sottovoce=${1:?usage: run.sh PATH-TO-SOTTOVOCE}
work=$(mktemp -d)
relay=""
stop() {
    trap - EXIT INT TERM
    if [ -n "$relay" ]; then
        kill "$relay" 2>/dev/null || true
        wait "$relay" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 0' INT TERM

"$sottovoce" relay --json >"$work/ready" &
relay=$!
tries=0
until grep -q '"event":"ready"' "$work/ready" 2>/dev/null; do
    kill -0 "$relay" 2>/dev/null || { status=0; wait "$relay" || status=$?; relay=""; exit "$status"; }
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "the relay does not get ready" >&2; exit 1; }
    sleep 0.1
done
address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/ready")
"$sottovoce" invite --json --relay "$address" >"$work/links"
link=$(sed -n 's/.*"meeting_link":"\([^"]*\)".*/\1/p' "$work/links")
host=$(sed -n 's/.*"host_link":"\([^"]*\)".*/\1/p' "$work/links")
[ -n "$link" ] && [ -n "$host" ] || { echo "no links came out of invite" >&2; exit 1; }

cat <<TEXT
A relay is running on this machine, with a meeting. The meeting link, to give away:

  $link

Paste these lines into two more terminals, from this folder. Ada is the host, and lets in who knocks:

  $sottovoce join '$host' --admit all --name Ada --play tests/fixtures/vp8-voice.webm --loop
  $sottovoce join '$link' --name Bea --play tests/fixtures/vp9-voice.webm --loop --record recordings

Bea's recordings of Ada are then in ./recordings. Type /help there for what else can be done. Ctrl-C here
stops the relay; the links die with it.
TEXT
wait "$relay"
