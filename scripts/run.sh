#!/bin/sh
# A relay and the page on this machine, a fresh meeting to open by a click, and lines for more terminals.
set -eu

sottovoce=${1:?usage: run.sh PATH-TO-SOTTOVOCE}
work=$(mktemp -d)
relay=""
web=""
stop() {
    trap - EXIT INT TERM
    for started in $relay $web; do
        kill "$started" 2>/dev/null || true
        wait "$started" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 0' INT TERM

# Until what runs as $1 has written to $2 that it is ready.
ready() {
    tries=0
    until grep -q '"event":"ready"' "$2" 2>/dev/null; do
        kill -0 "$1" 2>/dev/null || { status=0; wait "$1" || status=$?; exit "$status"; }
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "it does not get ready" >&2; exit 1; }
        sleep 0.1
    done
}

# The page comes from `sottovoce web` below, which needs no certificate.
"$sottovoce" relay --json --no-page >"$work/ready" &
relay=$!
ready "$relay" "$work/ready"
address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/ready")
"$sottovoce" invite --json --relay "$address" >"$work/links"
link=$(sed -n 's/.*"meeting_link":"\([^"]*\)".*/\1/p' "$work/links")
host=$(sed -n 's/.*"host_link":"\([^"]*\)".*/\1/p' "$work/links")
[ -n "$link" ] && [ -n "$host" ] || { echo "no links came out of invite" >&2; exit 1; }

if ! "$sottovoce" --version | grep -q 'page not built in'; then
    # The host's link is nobody's but this user's: others can read command lines.
    (umask 077 && printf '%s\n' "$host" >"$work/host")
    "$sottovoce" web --json --listen 127.0.0.1:0 --link-file "$work/host" >"$work/web" &
    web=$!
    ready "$web" "$work/web"
    click=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/web")
    cat <<TEXT
Click, and you are the host of a meeting on this machine:

  $click

and this is for the others, in another tab:

  ${click%%#*}#${link#*#}

TEXT
fi
cat <<TEXT
The same meeting's link, to give away to whoever reaches this machine's relay:

  $link

Or paste these lines into two more terminals, from this folder. Ada is the host, and lets in who knocks:

  $sottovoce join '$host' --admit all --name Ada --play tests/fixtures/vp8-voice.webm --loop
  $sottovoce join '$link' --name Bea --play tests/fixtures/vp9-voice.webm --loop --record recordings

Bea's recordings of Ada are then in ./recordings. Type /help there for what else can be done. Ctrl-C here
stops all of it; the links die with it.
TEXT
wait "$relay"
