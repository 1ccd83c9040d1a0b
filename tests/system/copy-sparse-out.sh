#!/usr/bin/env bash
# Who copies an export of 1 GiB with 10 MiB of data in it moves little more than these over the
# wire, and has a copy that takes no more space.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/wire.sh"
requires nbdcopy qemu-img
workdir

sparse_files
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
uri=$(counted_uri)

check() { # COPY
    qemu-img compare -q -f raw -F raw whole.img copy.img || fail "$1: the copy differs"
    ((from_server >= 10 << 20 && from_server < 12 << 20)) || fail "$1: $from_server bytes were read"
    ((to_server < 1 << 20)) || fail "$1: $to_server bytes to the server"
    (($(mib_of copy.img) <= 12)) || fail "$1: the copy takes $(mib_of copy.img) MiB"
    rm copy.img
}
counted nbdcopy "$uri" copy.img
check nbdcopy
counted nbdcopy --connections=1 --requests=1 --request-size=65536 "$uri" copy.img
check 'nbdcopy, one by one'
counted qemu-img convert -f raw -O raw "$uri" copy.img
check 'qemu-img convert'
counted qemu-img convert -f raw -O qcow2 "$uri" copy.qcow2
(($(mib_of copy.qcow2) <= 14)) || fail "copy.qcow2 takes $(mib_of copy.qcow2) MiB"
qemu-img convert -f qcow2 -O raw copy.qcow2 copy.img
check 'qemu-img convert to qcow2'
stop_server
