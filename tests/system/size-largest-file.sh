#!/usr/bin/env bash
# The largest file there is, of 2^63 - 1 bytes: it is read and written up to its last byte, its
# status is told and all of it zeroed and trimmed in one request, and no sum overflows.
source "$(dirname "$0")/../support/functions.sh"
requires mkfs.xfs
workdir

truncate -s 320M disk.img
mkfs.xfs -q disk.img
mkdir mnt
loop_on disk.img >/dev/null
mount "$loop" mnt
truncate -s $(((1 << 63) - 1)) mnt/huge.img
start_server --listen "unix://$PWD/nbd.sock" mnt/huge.img

raw_python - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys
from raw_client import enter, wire
from suite import pattern
c = enter(sys.argv[1], extended=True, contexts=["base:allocation"])
size, data = c.size, pattern(1 << 20)
assert size == (1 << 63) - 1

status = lambda: [*c.expect_ok(wire.CMD_BLOCK_STATUS, 0, size).status.values()][0]
for offset, length in ((size - 1, 1), (size - 5000, 5000), (size - len(data), len(data)), (7, 777)):
    c.expect_ok(wire.CMD_WRITE, offset, payload=data[:length], flags=wire.CMD_FLAG_FUA)
    c.expect_data(offset, data[:length])
assert [state for _, state in status()] == [0, 3, 0] and sum(run for run, _ in status()) == size
c.expect_ok(wire.CMD_WRITE_ZEROES, 10, size - 20)
c.expect_data(0, bytes(7) + data[:3] + bytes(5000))
c.expect_data(size - 5000, bytes(4990) + data[-10:])
c.expect_ok(wire.CMD_TRIM, 0, size)
c.expect_ok(wire.CMD_CACHE, 0, size)
for command in (wire.CMD_READ, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES, wire.CMD_BLOCK_STATUS):
    for offset in (size, size - 511, 1 << 63, (1 << 64) - 512, (1 << 64) - 1):
        for length in (512, size, (1 << 64) - 1):
            c.expect((wire.EINVAL, wire.ENOSPC), command, offset, length)
assert sum(run for run, _ in status()) == size
END
stop_server
