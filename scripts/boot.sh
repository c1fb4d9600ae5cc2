#!/bin/bash
# Runs the systemd of a folder with a Debian in it, as the first process of namespaces of its own,
# without a network but loopback. deb-test.sh starts it.
#
#     scripts/boot.sh FOLDER [CGROUP]
set -euo pipefail

root=${1:?usage: boot.sh FOLDER [CGROUP]}
group=${2:-}
if [ -n "$group" ]; then
    mkdir -p "$group"
    echo $$ >"$group/cgroup.procs"
fi

set_up() {
    mount --make-rprivate /
    mount --bind "$1" "$1"
    cd "$1"
    mount -t proc proc proc
    mount -t sysfs sys sys
    mount -t cgroup2 none sys/fs/cgroup
    mount -t tmpfs -o mode=755 none run
    mount -t tmpfs none tmp
    mount -t tmpfs -o mode=755 none dev
    while read -r name major minor; do
        mknod -m 666 "dev/$name" c "$major" "$minor"
    done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
    ln -s /proc/self/fd dev/fd
    ln -s pts/ptmx dev/ptmx
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=666 none dev/pts
    ip link set lo up
    mkdir -p run/outside
    pivot_root . run/outside
    cd /
    umount -l /run/outside
    # As at the start of a machine; without it services do not see their credentials.
    mount --make-rshared /
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
}
export -f set_up
exec unshare --pid --mount --cgroup --uts --ipc --net --fork bash -euc 'set_up "$1"' boot "$root"
