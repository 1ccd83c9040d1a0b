#!/usr/bin/env bash
# Partitions of an export: made through the kernel's device, with filesystems of their own that are
# written to at once; found again when the device is attached again; and the same on the disk below.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 512M

start_server --listen "unix://$work/nbd.sock" /dev/vdc
attach /dev/nbd0 -unix "$work/nbd.sock"
sfdisk --quiet /dev/nbd0 <<'END'
label: gpt
size=64MiB
size=320MiB
END
eventually 30 test -b /dev/nbd0p2 || fail 'no second partition'
make_filesystem ext4 /dev/nbd0p1 one
make_filesystem xfs /dev/nbd0p2 two
start_writer one/file
start_writer --direct two/file
writers_go_on 100
stop_writers
echo kept | tee one/word >two/word
umount one two
detach /dev/nbd0
attach /dev/nbd0 -unix "$work/nbd.sock" -C 2
partx --update /dev/nbd0
expect_eq "$(partx --show --noheadings --output NR,START,SECTORS /dev/nbd0 | xargs)" \
    '1 2048 131072 2 133120 655360' 'partitions'
expect_clean ext4 /dev/nbd0p1
expect_clean xfs /dev/nbd0p2
detach /dev/nbd0
stop_server
partx --update /dev/vdc
mount -o ro /dev/vdc1 one && mount -o ro /dev/vdc2 two
expect_eq "$(<one/word) $(<two/word)" 'kept kept'
