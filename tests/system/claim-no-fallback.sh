#!/usr/bin/env bash
# An exclusive export of a busy device stops the start: nothing is served, nothing stays open.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 qemu-img
requires_loop_devices
workdir

busy=$(new_loop busy 64M)
idle=$(new_loop idle 16M)
mkfs.ext4 -q "$busy"
mount_at "$busy" mnt

said=$(refused a "first exclusive false $idle" "second exclusive false $busy")
expect_in "$said" "device \"$busy\": want an exclusive claim"
! qemu-img info "$(uri a first)" >said 2>&1 || fail 'part of the configuration is served'
is_free "$idle" || fail 'a claim was kept'

# Exclusive is also what an export is that says nothing.
code=0
timeout 100 "$INTERPOSED" --listen "unix://$PWD/b.sock" "$busy" 2>said || code=$?
expect_eq "$code" 1 'exit status'
expect_in "$(<said)" 'want an exclusive claim'

# --check takes no claim and does not ask for one.
"$INTERPOSED" --check a.json >said || fail 'a busy device is not a fault of the configuration'
