#!/usr/bin/env bash
# On a regular file we and qemu's programs respect each other's claims.
source "$(dirname "$0")/../support/functions.sh"
source "$(dirname "$0")/../support/claims.sh"
requires qemu-nbd qemu-img qemu-io
workdir

image=$work/image
truncate --size 16M "$image"

qemu-nbd --format raw --persistent --fork --pid-file pid --socket "$PWD/q.sock" "$image"
qemu=$(<pid)
at_exit kill_hard "$qemu"
for read_only in false true; do
    said=$(refused a "vol exclusive $read_only $image")
    expect_in "$said" "device \"$image\": want an exclusive claim"
    expect_in "$said" "held by qemu-nbd (pid $qemu), whose lock on byte 101 says that it writes"
done
serve b "vol shared false $image" # both write, and both said that they share
stop_server
kill "$qemu"
eventually 30 has_ended "$qemu" || fail 'qemu-nbd does not stop'

serve c "vol exclusive false $image"
! qemu-io -f raw -c 'write 0 4k' "$image" >said 2>&1 || fail 'qemu-io wrote to it'
expect_in "$(<said)" 'lock'
! qemu-img resize -f raw "$image" 8M >said 2>&1 || fail 'qemu-img has shrunk it'
qemu-io -r -f raw -c 'read 0 4k' "$image" >said || fail 'qemu-io cannot even read it'
! qemu-nbd --format raw --socket "$PWD/r.sock" "$image" 2>said || fail 'qemu-nbd has it'
stop_server
qemu-io -f raw -c 'write 0 4k' "$image" >said || fail 'locked after the server'
