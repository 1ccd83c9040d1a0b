#!/usr/bin/env bash
# Space that is set aside reads as zeroes, but is no hole: a client that trusts in a hole being free,
# or in what is no hole never running out of space, is told the truth.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo qemu-io mkfs.ext4
requires_python nbd
requires_loop_devices
workdir

# Not every filesystem tells the two apart: this one does.
truncate -s 64M disk.img
mkfs.ext4 -q disk.img
mkdir mnt
loop_on disk.img >/dev/null
mount "$loop" mnt
truncate -s 8M mnt/a.img
fallocate --offset 1M --length 1M mnt/a.img
dd if=/dev/urandom of=mnt/a.img bs=1M count=1 seek=3 conv=notrunc status=none
start_server --export '' --listen "unix://$PWD/nbd.sock" mnt/a.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"

map() { nbdinfo --map "$uri" | awk '{ print $1, $2, $3 }' | paste --serial --delimiters ' '; }
m=$((1 << 20))
expect_eq "$(map)" "0 $m 3 $m $m 2 $((2 * m)) $m 3 $((3 * m)) $m 0 $((4 * m)) $((4 * m)) 3"

# WRITE_ZEROES keeps the space where it must, and is fast about either.
cat >zero.py <<'END'
import nbd, sys
client = nbd.NBD()
client.connect_uri(sys.argv[1])
client.zero(1 << 20, 3 << 20, nbd.CMD_FLAG_NO_HOLE | nbd.CMD_FLAG_FAST_ZERO)
client.zero(1 << 20, 5 << 20, nbd.CMD_FLAG_NO_HOLE)
client.zero(1 << 20, 1 << 20, nbd.CMD_FLAG_FAST_ZERO)
client.shutdown()
END
/usr/bin/python3 zero.py "$uri"
expect_eq "$(map)" "0 $((3 * m)) 3 $((3 * m)) $m 2 $((4 * m)) $m 3 $((5 * m)) $m 2 $((6 * m)) $((2 * m)) 3"
expect_eq "$(nbdinfo --map=qemu:allocation-depth "$uri" | awk '{ print $1, $2, $3 }')" "0 $((8 * m)) 1"
stop_server
