#!/usr/bin/env bash
# The claim is the fence against a stale writer: after a kill -9 with a write in flight nobody
# gets the device until that write has ended. Also when the claim was raised to read-write.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires mkfs.ext4 fsfreeze qemu-io
requires_loop_devices
workdir

lower=$(new_loop lower 128M)
mkfs.ext4 -q "$lower"
mount_at "$lower" mnt
truncate --size 16M mnt/image
device=$(loop_on mnt/image)

kill_with_write_in_flight() { # NAME
    fsfreeze --freeze mnt
    qemu-io -f raw -c 'write -P 9 0 4k' "$(uri "$1")" >client 2>&1 &
    at_exit kill_hard "$!"
    eventually 30 has_writes_in_flight "$device" || fail 'no write reaches the device'
    kill -KILL "$server"
    eventually 30 has_ended "$server" || fail 'the server does not die'
    for ((i = 0; i < 20; ++i)); do
        ! is_free "$device" || fail "$1: free while the dead server's write is in flight"
        sleep 0.05
    done
    has_writes_in_flight "$device" || fail 'the write has ended early: nothing was tested'
    fsfreeze --unfreeze mnt
    eventually 30 is_free "$device" || fail "$1: still claimed after the write has ended"
}

serve plain "vol exclusive false $device"
kill_with_write_in_flight plain
serve raised "first exclusive true $device" "vol exclusive false $device"
kill_with_write_in_flight raised
