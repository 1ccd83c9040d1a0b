#!/usr/bin/env bash
# A read-only export is a read-only device: it is mounted so and not otherwise, and nothing that is
# tried changes it. A client may also want an export read-only that is not.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M --disk 64M

make_filesystem ext4 /dev/vdc mnt
echo kept >mnt/file
umount mnt
before=$(sha256sum </dev/vdc)
serve_exports "$(volume fixed "$(linear /dev/vdc)" '"read_only": true'), $(volume open "$(linear /dev/vdd)")"
attach /dev/nbd0 -unix "$work/nbd.sock" -N fixed
attach /dev/nbd1 -unix "$work/nbd.sock" -N open -readonly
for device in /dev/nbd0 /dev/nbd1; do
    expect_eq "$(blockdev --getro "$device")" 1 "$device is read-only"
    ! dd if=/dev/zero of="$device" bs=4k count=1 oflag=direct 2>dd.log || fail "$device was written to"
    ! blkdiscard "$device" 2>discard.log || fail "$device was discarded"
done
! mount -o rw,noload -t ext4 /dev/nbd0 mnt 2>mount.log || [[ $(findmnt -no OPTIONS mnt) == ro,* ]] ||
    fail 'mounted for writing'
mountpoint -q mnt || mount -o ro /dev/nbd0 mnt
expect_eq "$(<mnt/file)" kept
umount mnt
expect_clean ext4 /dev/nbd0
detach /dev/nbd0 /dev/nbd1
stop_server
expect_eq "$(sha256sum </dev/vdc)" "$before" 'the disk'
