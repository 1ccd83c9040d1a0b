#!/usr/bin/env bash
# A claim that is refused says who has the device.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 addpart delpart unshare
requires_loop_devices
workdir

disk=$(new_loop disk 64M)
first=$(add_partition "$disk" 1 2048 65536)
mkfs.ext4 -q "$first"
said_of() { refused a "vol exclusive true $1"; }

mount_at "$first" "a mount"
expect_in "$(said_of "$first")" "held by a mount of ext4 on $work/a mount"
expect_in "$(said_of "$disk")" "a mount of ext4 on $work/a mount (its partition $first)"
umount "a mount"

# A mount that only another mount namespace sees.
mkfifo end
# shellcheck disable=SC2016  # for the inner shell
unshare --mount sh -c 'mount "$1" "a mount" && : >there && read -r line <end' - "$first" &
at_exit kill_hard "$!"
eventually 30 test -e there || skip 'no mount namespaces here'
expect_in "$(said_of "$first")" "on $work/a mount in the mount namespace of sh (pid $!)"
echo >end
wait "$!"

# A process is never more than a suspect, and so is a loop device.
upper=$(loop_on "$disk")
/usr/bin/python3 -c 'import os, sys
os.open(sys.argv[1], os.O_EXCL)
print(flush=True)
sys.stdin.read()' "$disk" <>end >opened &
at_exit kill_hard "$!"
eventually 30 test -s opened || fail 'python3 has not opened it'
said=$(said_of "$disk")
expect_in "$said" "but it is busy; open in $upper, a loop device over this path, python3"
expect_in "$said" "(pid $!)"
