#!/usr/bin/env bash
# What a FLUSH has acknowledged survives the loss of everything that was only cached, also what was
# written on another connection; what was not flushed does not, which shows that the test can tell.
# The files lie on a write-back cache in another process, which is killed: killing our own server
# would prove nothing, since the kernel's page cache survives it.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

for disk in a b; do
    truncate -s 16M "$disk.img"
    lossy_file "$disk"
done
start_server --listen "unix://$PWD/nbd.sock" a/nbd b/nbd

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
M = 1 << 20
one, two = nbd.NBD(), nbd.NBD()
for client in one, two:
    client.connect_uri(sys.argv[1])
one.pwrite(b"\1" * (2 * M), 15 * M)   # over the border of the two files
one.pwrite(b"\2" * 5, 30 * M + 1)
two.flush()
for place in 4 * M, 24 * M:
    one.pwrite(b"\3" * M, place)
    assert two.pread(M, place) == b"\3" * M
END
lose_caches
kill_server
expect_eq "$(tail -c 1M a.img | tr -d '\1' | wc -c)" 0 "flushed bytes that are lost in a"
expect_eq "$(head -c 1M b.img | tr -d '\1' | wc -c)" 0 "flushed bytes that are lost in b"
expect_eq "$(tr -cd '\2' <b.img | wc -c)" 5 "flushed bytes at an odd place"
expect_eq "$(cat a.img b.img | tr -cd '\3' | wc -c)" 0 "unflushed bytes that were kept"
