#!/usr/bin/env bash
# A shared export works over a mounted device, and lets others claim it.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 qemu-io
requires_loop_devices
workdir

device=$(new_loop disk 64M)
mkfs.ext4 -q "$device"
mount_at "$device" mnt

serve a "vol shared false $device"
qemu-io -f raw -c 'read 0 64k' -c 'write -P 7 0 512' "$(uri a)" >said
cmp --bytes 512 disk <(head --bytes 512 /dev/zero | tr '\0' '\7')
echo alive >mnt/file
sync mnt/file
umount mnt
is_free "$device" || fail 'a shared export excludes claimers'
mount_at "$device" mnt || fail 'a shared export keeps a mount away'
expect_eq "$(<mnt/file)" alive
