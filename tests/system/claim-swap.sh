#!/usr/bin/env bash
# An exclusive export and swap on the same device exclude each other, whoever comes first.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkswap swapon swapoff
requires_loop_devices
workdir

device=$(new_loop disk 64M)
mkswap "$device" >said
swapon "$device" || skip 'no swap here'
at_exit swapoff "$device"

said=$(refused a "vol exclusive true $device")
expect_in "$said" "device \"$device\": want an exclusive claim, but it is held by swap"
swapoff "$device"

serve b "vol exclusive true $device"
! swapon "$device" 2>said || fail 'swapped on although the server claims it'
stop_server
swapon "$device" || fail 'cannot be swapped on after the server'
swapoff "$device"
