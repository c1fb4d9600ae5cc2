#!/bin/bash
# Installs a package of ours in a Debian of its own, with systemd as its first process; sees that the
# relay runs and answers, stops it, upgrades it over itself, purges it, and sees that nothing is left.
# Needs root, mmdebstrap, and a mirror; changes nothing outside its scratch folder.
#
#     scripts/deb-test.sh PACKAGE.deb [ROOT.tar]     # a Debian that was made before
set -euo pipefail

package=${1:?usage: deb-test.sh PACKAGE.deb [ROOT.tar]}
made=${2:-}
here=$(realpath "$(dirname "$0")")
[ -f "$package" ] || { echo "There is no $package yet: run \`make deb\` first." >&2; exit 1; }
package=$(realpath "$package")
[ "$(id -u)" = 0 ] || { echo "Run this as root: it starts a systemd in namespaces of its own." >&2; exit 1; }

scratch=$(mktemp -d)
root=$scratch/root
# A cgroup for it alone, where this machine has the kind that systemd wants.
cgroups=$(findmnt --noheadings --list --output TARGET --types cgroup2 | head -n 1)
group=${cgroups:+$cgroups/sottovoce-$$}
outer=""
systemd=""
stop() {
    trap - EXIT
    # The first process of the namespace takes all others with it.
    [ -z "$systemd" ] || kill -KILL "$systemd" 2>/dev/null || true
    [ -z "$outer" ] || wait "$outer" 2>/dev/null || true
    if [ -n "$group" ]; then
        for _ in $(seq 50); do
            [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [ -d "$group" ] || break
            sleep 0.1
        done
    fi
    rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 1' INT TERM

say() { echo "== $*"; }
fail() { echo "FAILED: $*" >&2; inside journalctl --no-pager -n 30 >&2 || true; exit 1; }
inside() { nsenter --target "$systemd" --all "$@"; }
until_so() {
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    return 1
}

say "a Debian of its own"
mkdir "$root"
if [ -n "$made" ]; then
    tar -C "$root" -xf "$made"
else
    command -v mmdebstrap >/dev/null || { echo "Install mmdebstrap, then run this again." >&2; exit 1; }
    # Of the kind that this machine is: the package depends on libraries as new as it was built with.
    of_this() { (. /etc/os-release && echo "${!1:-}"); }
    id=$(of_this ID)
    suite=$(of_this VERSION_CODENAME)
    keyring=/usr/share/keyrings/$id-archive-keyring.gpg
    if [ -z "$suite" ] || [ ! -f "$keyring" ]; then
        echo "This is neither a Debian nor an Ubuntu with its $keyring: give a ROOT.tar of one." >&2
        exit 1
    fi
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,iproute2 \
        --keyring="$keyring" "$suite" "$root"
fi
cp "$package" "$root/package.deb"

"$here/boot.sh" "$root" "$group" >"$scratch/console" 2>&1 &
outer=$!
first() { systemd=$(pgrep -P "$outer" -f '^/lib/systemd/systemd') && [ -n "$systemd" ]; }
until_so first || fail "systemd does not start"
first
booted() { inside systemctl is-system-running --wait | grep -qE 'running|degraded'; }
until_so booted || fail "systemd does not get ready"

files() { (cd "$root" && find etc usr var -xdev | grep -vE '^var/(log/journal|log/dpkg.log|cache|tmp|lib/dpkg)|~$' | sort); }
files >"$scratch/before"

# It ends with 42 when something is wrong.
check_says() { { inside sottovoce check || true; } | grep -q "$1"; }
answers() { check_says '0.0.0.0:443 answers'; }
active() { [ "$(inside systemctl is-active "$1")" = active ]; }
process() { inside systemctl show --property MainPID --value sottovoce; }

say "install"
inside dpkg -i /package.deb
until_so active sottovoce.service || fail "the relay does not start"
active sottovoce.socket || fail "systemd does not listen"
until_so answers || fail "the relay does not answer"
inside journalctl --sync
inside journalctl --no-pager -o cat -u sottovoce | grep -q '^https://' || fail "no address in the journal"
inside ss -ulnm | grep -q 'rb8388608,' || fail "the relay has not the buffers that sottovoce.socket gives it"
before=$(process)
identity=$(sha256sum <"$root/var/lib/sottovoce/identity")
[ "$(stat -c '%a %u %s' "$root/var/lib/sottovoce/identity")" = "600 0 32" ] || fail "the identity is open"
inside sottovoce check || fail "check finds fault with what the package installs"
grep -E '^(Uid|NoNewPrivs|Seccomp|VmRSS|VmLck):' "/proc/$(pgrep -P "$systemd" -f '^/usr/bin/sottovoce relay')/status"

say "stop"
inside systemctl stop sottovoce.socket sottovoce
inside bash -c 'echo >/dev/udp/127.0.0.1/443'
check_says 'the relay is not running' || fail "check does not see that the relay is stopped"
sleep 1
if active sottovoce.service; then fail "a packet starts a relay that was stopped"; fi
inside systemctl start sottovoce
until_so answers || fail "the relay does not start again"

say "a stop of the service alone"
inside systemctl stop sottovoce
check_says 'the relay is not running' || fail "check does not see that the relay is stopped"
if active sottovoce.service; then fail "check starts a relay that was stopped"; fi
inside bash -c 'echo >/dev/udp/127.0.0.1/443'
until_so active sottovoce.service || fail "a packet does not start the relay"
until_so answers || fail "the relay does not answer"

say "upgrade over itself"
inside dpkg -i /package.deb
until_so active sottovoce.service || fail "the relay does not start again"
until_so answers || fail "the relay does not answer again"
[ "$(process)" != "$before" ] || fail "the relay is still the old one"
[ "$(sha256sum <"$root/var/lib/sottovoce/identity")" = "$identity" ] || fail "the identity is another one"

say "remove"
inside dpkg --remove sottovoce
if active sottovoce.service; then fail "the relay still runs"; fi
[ -e "$root/etc/sottovoce/relay.toml" ] || fail "the configuration went with the program"

say "purge"
inside dpkg --purge sottovoce
files >"$scratch/after"
diff "$scratch/before" "$scratch/after" || fail "these are left, or gone"
[ ! -e "$root/var/lib/sottovoce" ] || fail "the identity is left"
say "the package installs, runs, stops, upgrades, and leaves nothing"
