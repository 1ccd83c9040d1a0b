#!/usr/bin/env bash
# A device of nbd-client -persist, by netlink and without it, outlives a kill of the server with all
# that was synced once it is attached again, which is up to its user: examples/nbdtab says why.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M

serve_exports "$(volume vol "$(linear /dev/vdc)")"
for way in -persist '-nonetlink -persist'; do
    # shellcheck disable=SC2086  # words
    attach /dev/nbd0 -unix "$work/nbd.sock" -N vol $way
    make_filesystem ext4 /dev/nbd0 mnt
    seq 100000 >mnt/numbers
    umount mnt # with a flush
    kill_server
    start_server config.json
    ! is_attached /dev/nbd0 || detach /dev/nbd0
    # shellcheck disable=SC2086
    attach /dev/nbd0 -unix "$work/nbd.sock" -N vol $way
    expect_clean ext4 /dev/nbd0
    mount /dev/nbd0 mnt
    seq 100000 | cmp - mnt/numbers
    umount mnt
    detach /dev/nbd0
done
stop_server
