#!/usr/bin/env bash
# Paths do not matter: a symlink, a hard link and a number are the device they lead to.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires qemu-io
requires_loop_devices
workdir

device=$(new_loop disk 16M)
ln -s "$device" link
number=$(<"/sys/block/${device#/dev/}/dev")
half='"length": "8MiB"'
serve a "low exclusive false $device $half" "high exclusive false $work/link \"offset\": \"8MiB\"" \
    "all exclusive true $number"
qemu-io -f raw -c 'write -P 5 0 4k' "$(uri a high)" >said
qemu-io -r -f raw -c 'read -P 5 8M 4k' "$(uri a all)" >said
! grep -q 'verification failed' said || fail 'three exports show two devices'
stop_server

for other in "$work/link" "$number"; do
    said=$(refused b "one exclusive true $device" "two shared true $other")
    expect_in "$said" '"one"'
    expect_in "$said" '"two"'
done

truncate --size 16M image
ln image hard
serve c "vol exclusive false $work/image"
expect_in "$(refused d "vol exclusive false $work/hard")" "(pid $server), whose lock"
