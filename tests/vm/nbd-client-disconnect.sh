#!/usr/bin/env bash
# A device that is taken away in the middle of its I/O: its writers get errors, the server keeps
# nothing of it, another device's writers notice nothing, and it can be attached again.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 128M

serve_exports "$(volume a "$(linear /dev/vdc 0 131072)"), $(volume b "$(linear /dev/vdc 131072)")"
attach /dev/nbd1 -unix "$work/nbd.sock" -N b -C 2
start_writer --direct /dev/nbd1
descriptors() { find "/proc/$server/fd" -type l | wc -l; }
are_descriptors() { (($(descriptors) <= $1)); }
is_busy() { [[ $(awk '{ print $9 }' /sys/block/nbd0/stat) != 0 ]]; } # requests in flight
take_away() { # LOAD...
    attach /dev/nbd0 -unix "$work/nbd.sock" -N a -C 4
    "$@" >load.log 2>&1 &
    load=$!
    eventually 60 is_busy || fail "there is no load: $(<load.log)"
    writers_go_on 50
    detach /dev/nbd0
    eventually 60 has_ended "$load" || fail 'the load is stuck'
    ! wait "$load" || fail 'the load has noticed nothing'
    eventually 30 has_connections a 0 || fail 'connections are left'
}
# One more session than there has ever been costs buffers, not descriptors.
fio_on() {
    fio --name=load --filename=/dev/nbd0 --ioengine=libaio --iodepth=32 --time_based --runtime=600 "$@"
}
take_away fio_on --rw=randwrite --bs=4k --direct=1
before=$(descriptors)
take_away fio_on --rw=randread --bs=256k --direct=1
take_away fio_on --rw=randwrite --bs=1M --fsync=4
eventually 30 are_descriptors "$before" || fail "$before descriptors were open, $(descriptors) are"
attach /dev/nbd0 -unix "$work/nbd.sock" -N a
make_filesystem ext4 /dev/nbd0 mnt
umount mnt
expect_clean ext4 /dev/nbd0
stop_writers
detach /dev/nbd0 /dev/nbd1
stop_server
