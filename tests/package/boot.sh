#!/usr/bin/env bash
# A filesystem on a device that the server attaches is mounted by the examples' line of /etc/fstab: when
# the machine shuts down it is unmounted while the server still serves, without an error or a wait, and
# when it boots it is there again.
source "$(dirname "$0")/../support/package.sh"

install_and_mount() {
    install /test/packages/now.deb
    attach_example /dev/vdc
    enable_now interposed-attach@data
    mkfs.ext4 -q /dev/nbd1
    grep '^/dev/nbd1' /test/examples/fstab >>/etc/fstab
    mkdir /srv/data
    systemctl daemon-reload
    mount /srv/data
    seq 100000 >/srv/data/numbers # which is still to be written when it is unmounted
}

find_it_mounted() {
    eventually 120 findmnt /srv/data >/dev/null || fail 'it is not mounted' # "nofail": nobody waits
    expect_eq "$(findmnt --noheadings --output SOURCE /srv/data)" /dev/nbd1
    seq 100000 | cmp - /srv/data/numbers
    journalctl --boot -1 --output cat >before.txt
    grep -q 'Unmounted.*/srv/data' before.txt || fail 'it was not unmounted by systemd'
    ! grep -E 'nbd1.*(I/O error|[Tt]imed out|shutdown)|[1-9][0-9]* errors|Failed unmounting' before.txt || fail 'not in order'
    ! dmesg | grep -E 'nbd1.*(error|recovery)' || fail 'it was not clean'
    echo more >/srv/data/more
}

on_host_afterwards() {
    e2fsck -fn disk.img >fsck.log 2>&1 || fail "$(<fsck.log)"
    ! dumpe2fs -h disk.img 2>/dev/null | grep -q needs_recovery || fail 'it was not unmounted'
    expect_in "$(debugfs -R 'cat /more' disk.img 2>/dev/null)" more
}

boots install_and_mount find_it_mounted
