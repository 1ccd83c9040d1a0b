#!/usr/bin/env bash
# What was written or zeroed with FUA survives the loss of everything that was only cached, without
# any FLUSH; what was written beside it without FUA does not have to. See durability-flush.sh.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

for disk in a b c; do
    truncate -s 16M "$disk.img"
    lossy_file "$disk"
done
start_server --listen "unix://$PWD/nbd.sock" a/nbd b/nbd c/nbd

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
M = 1 << 20
client = nbd.NBD()
client.connect_uri(sys.argv[1])
client.pwrite(b"\1" * 4096, 16 * M - 2048, nbd.CMD_FLAG_FUA)   # in a and in b
client.pwrite(b"\2" * M, 20 * M, nbd.CMD_FLAG_FUA)
client.zero(M // 4, 20 * M, nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE)
client.zero(M // 4, 20 * M + M // 4, nbd.CMD_FLAG_FUA)
client.pwrite(b"\3" * M, 40 * M)                               # in c, without FUA
assert client.pread(M, 40 * M) == b"\3" * M
END
lose_caches
kill_server
expect_eq "$(tail -c 2048 a.img | tr -d '\1' | wc -c)" 0 "FUA bytes that are lost in a"
expect_eq "$(head -c 2048 b.img | tr -d '\1' | wc -c)" 0 "FUA bytes that are lost in b"
expect_eq "$(tr -cd '\2' <b.img | wc -c)" $((512 << 10)) "FUA bytes beside FUA zeroes"
expect_eq "$(tr -cd '\3' <c.img | wc -c)" 0 "bytes without FUA that were kept"
