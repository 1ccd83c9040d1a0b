#!/usr/bin/env bash
# A flush that fails on the disk is EIO for fsync() on the kernel's device, and for writes with FUA;
# both stay so although the disk has recovered, for whoever attaches later, too. Only a restart of the
# server begins anew.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M

sectors=$(blockdev --getsz /dev/vdc)
below() { # INTERVALS-AND-FEATURES-OF-FLAKEY
    dmsetup suspend --nolockfs below
    dmsetup load below --table "0 $sectors flakey /dev/vdc 0 $*"
    dmsetup resume below
}
serve() {
    start_server --listen "unix://$work/nbd.sock" /dev/mapper/below
    attach /dev/nbd0 -unix "$work/nbd.sock"
    [[ $(queue /dev/nbd0 write_cache) == 'write back' ]] || fail 'the kernel will not flush'
}
expect_answers() { # OF-FSYNC OF-A-FUA-WRITE
    expect_eq "$(/usr/bin/python3 "$tests/support/flush_answers.py" /dev/nbd0 | xargs)" "$*" 'answers'
}

dmsetup create below --table "0 $sectors flakey /dev/vdc 0 3600 0"
at_exit dmsetup remove below
serve
expect_answers ok ok
below 0 3600 1 error_writes
expect_answers EIO EIO
below 3600 0
expect_answers EIO EIO
detach /dev/nbd0
attach /dev/nbd0 -unix "$work/nbd.sock"
expect_answers EIO EIO
detach /dev/nbd0
stop_server
serve
expect_answers ok ok
