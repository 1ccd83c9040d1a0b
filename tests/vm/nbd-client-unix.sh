#!/usr/bin/env bash
# Over a Unix socket of the same machine, by four connections: fio verifies what it has written to an
# xfs with many fsyncs, fstrim and blkdiscard give the space of the image back, and what was
# discarded is zero.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 512M

make_filesystem ext4 /dev/vdc below
truncate -s 400M below/disk.img
serve_exports "$(volume vol "$(linear "$work/below/disk.img")")"
attach /dev/nbd0 -unix "$work/nbd.sock" -N vol -C 4
make_filesystem xfs /dev/nbd0 mnt
used_kib() { sync && du --block-size=1K below/disk.img | cut -f 1; }

fio --name=verify --directory=mnt --size=24M --rw=randrw --bsrange=4k-128k --fsync=16 --fallocate=none \
    --ioengine=psync --numjobs=2 --verify=crc32c --do_verify=1 --output=fio.log || fail "fio: $(<fio.log)"
before=$(used_kib)
((before > 40 << 10)) || fail "$before KiB are used after 48 MiB were written"
rm mnt/verify.*
sync
fstrim mnt
after=$(used_kib)
((after < before - (40 << 10))) || fail "fstrim: $before KiB were used, $after KiB still are"
umount mnt
expect_clean xfs /dev/nbd0
blkdiscard /dev/nbd0
expect_eq "$(used_kib)" 0 'KiB used when all is discarded'
cmp -n $((400 << 20)) /dev/nbd0 /dev/zero
has_connections vol 4 || fail 'want four connections'
detach /dev/nbd0
eventually 30 has_connections vol 0 || fail 'connections are left'
stop_server
