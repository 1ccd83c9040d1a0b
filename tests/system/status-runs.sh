#!/usr/bin/env bash
# BLOCK_STATUS tells data from holes truthfully over several files, joins equal neighbours, and with
# REQ_ONE says one thing about no more than was asked.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 4M a.img b.img   # data in [1 MiB, 2 MiB) of a, and in the first MiB of b
head -c 1M /dev/urandom | dd of=a.img bs=1M seek=1 conv=notrunc status=none
head -c 1M /dev/urandom | dd of=b.img bs=1M conv=notrunc status=none
sync a.img b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
client = nbd.NBD()
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
M = 1 << 20

def status(length, offset, flags=0):
    found = []
    def extent(name, at, entries, error):
        assert name == "base:allocation" and at == offset and error.value == 0
        found.extend(zip(entries[::2], entries[1::2]))
    client.block_status(length, offset, extent, flags)
    assert found and all(run for run, _ in found) and sum(r for r, _ in found[:-1]) < length
    return found

hole = nbd.STATE_HOLE | nbd.STATE_ZERO
assert status(8 * M, 0) == [(M, hole), (M, 0), (2 * M, hole), (M, 0), (3 * M, hole)], status(8 * M, 0)
assert status(8 * M, 0, nbd.CMD_FLAG_REQ_ONE) == [(M, hole)]
assert status(512, 3 * M, nbd.CMD_FLAG_REQ_ONE) == [(512, hole)]
assert status(1, 8 * M - 1)[0] == (1, hole)
client.pwrite(b"x" * 4096, 6 * M)
assert [flags for _, flags in status(2 * M, 6 * M)][:1] == [0]
END
stop_server
