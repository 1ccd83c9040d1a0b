#!/usr/bin/env bash
# Who copies 1 GiB with 10 MiB of data in it into an export sends little more than these, and asks
# for the rest to be zeroed: it reads as zeroes, and its space is given back.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/wire.sh"
requires nbdcopy qemu-img
workdir

sparse_files
mv a.img first.img
mv b.img second.img
uri=$(counted_uri)

check() { # COMMAND...
    rm -f a.img b.img
    truncate -s 512M a.img b.img
    fallocate --offset 384M --length 128M a.img
    fallocate --length 128M b.img
    dd if=/dev/urandom of=a.img bs=1M count=4 seek=508 conv=notrunc status=none
    dd if=/dev/urandom of=b.img bs=1M count=4 seek=4 conv=notrunc status=none
    start_server --listen "unix://$PWD/nbd.sock" a.img b.img
    counted "$@"
    stop_server
    qemu-img compare -q -f raw -F raw first.img a.img || fail "$*: the first file differs"
    qemu-img compare -q -f raw -F raw second.img b.img || fail "$*: the second file differs"
    ((to_server >= 10 << 20 && to_server < 12 << 20)) || fail "$*: $to_server bytes to the server"
    ((from_server < 1 << 20)) || fail "$*: $from_server bytes from the server"
    (($(mib_of a.img) + $(mib_of b.img) <= 12)) ||
        fail "$*: the files take $(mib_of a.img) and $(mib_of b.img) MiB"
}
check nbdcopy whole.img "$uri"
check nbdcopy --flush --connections=1 --sparse=65536 whole.img "$uri"
check qemu-img convert -n -f raw -O raw whole.img "$uri"
