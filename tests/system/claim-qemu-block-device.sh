#!/usr/bin/env bash
# qemu opens block devices without O_EXCL; there too we respect each other by byte locks.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires qemu-nbd qemu-io
requires_loop_devices
workdir

device=$(new_loop disk 16M)
qemu-nbd --format raw --persistent --fork --pid-file pid --socket "$PWD/q.sock" "$device"
qemu=$(<pid)
at_exit kill_hard "$qemu"
said=$(refused a "vol exclusive false $device")
expect_in "$said" "held by qemu-nbd (pid $qemu), whose lock on byte 101 says that it writes"
kill "$qemu"
eventually 30 has_ended "$qemu" || fail 'qemu-nbd does not stop'

serve b "vol exclusive false $device"
! qemu-io -f raw -c 'write 0 4k' "$device" >said 2>&1 || fail 'qemu-io wrote to it'
