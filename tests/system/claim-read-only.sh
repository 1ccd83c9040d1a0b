#!/usr/bin/env bash
# A read-only export claims just as hard; one that writes does not start on a read-only device.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 blockdev qemu-io
requires_loop_devices
workdir

device=$(new_loop disk 64M)
mkfs.ext4 -q "$device"
serve a "vol exclusive true $device"
! is_free "$device" || fail 'a read-only export does not claim'
mkdir mnt
! mount -o ro "$device" mnt 2>said || fail 'mounted although the server claims it'
! qemu-io -f raw -c 'write 0 4k' "$(uri a)" >said 2>&1 || fail 'a read-only export writes'
stop_server

mount_at "$device" mnt
expect_in "$(refused b "vol exclusive true $device")" "held by a mount of ext4 on $work/mnt"
umount mnt

blockdev --setro "$device"
at_exit blockdev --setrw "$device"
said=$(refused c "vol exclusive false $device")
expect_in "$said" "device \"$device\""
expect_in "$said" 'read-only'
is_free "$device" || fail 'the refused server holds a claim'
serve d "vol exclusive true $device"
