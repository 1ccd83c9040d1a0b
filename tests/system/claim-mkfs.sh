#!/usr/bin/env bash
# Nobody formats a device that is exported exclusively.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 mkswap
requires_loop_devices
workdir

device=$(new_loop disk 64M)
serve a "vol exclusive false $device"
before=$(sha256sum <disk)

! mkfs.ext4 -q "$device" </dev/null >said 2>&1 || fail 'mkfs.ext4 formatted it'
expect_in "$(<said)" 'in use'
! mkswap "$device" >said 2>&1 || fail 'mkswap formatted it'
expect_eq "$(sha256sum <disk)" "$before" 'content of the disk'

stop_server
mkfs.ext4 -q "$device" </dev/null || fail 'cannot be formatted after the server'
