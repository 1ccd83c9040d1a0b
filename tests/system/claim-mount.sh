#!/usr/bin/env bash
# An exclusive export and a mount of the same device exclude each other, whoever comes first.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4
requires_loop_devices
workdir

device=$(new_loop disk 64M)
mkfs.ext4 -q "$device"

mount_at "$device" mnt
said=$(refused a "vol exclusive false $device")
expect_in "$said" "device \"$device\": want an exclusive claim, but it is held by"
expect_in "$said" "a mount of ext4 on $work/mnt"
umount mnt

serve b "vol exclusive false $device"
! mount "$device" mnt 2>said || fail 'mounted although the server claims it'
! is_free "$device" || fail 'the claim does not exclude other claimers'
stop_server

is_free "$device" || fail 'the claim has outlived the server'
mount_at "$device" mnt || fail 'cannot be mounted after the server'
