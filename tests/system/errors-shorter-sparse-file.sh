#!/usr/bin/env bash
# What a file has lost by becoming shorter is no hole: nobody is told that there are zeroes, neither
# by a large read that is looked through for holes nor by block status.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires_python nbd
workdir

truncate --size 4M disk.img
dd if=/dev/urandom of=disk.img bs=1M seek=1 count=3 conv=notrunc status=none
write_sandwich disk.img '"claim": "shared"'
start_server config.json
truncate --size 2M disk.img
requests <<'END'
for framing in FRAMINGS:
    client = enter("bad", framing)
    client.expect_data(M, bytes(M))   # a hole, and still one
    for offset, length in ((3 * M, 4 * K), (3 * M, 64 * K), (4 * M, M), (2 * M, 3 * M)):
        check_failed(client, EIO, 1, max(3 * M, offset), READ, offset, length)
END
/usr/bin/python3 - "nbd+unix:///bad?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
client = nbd.NBD()
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
told = []
try:
    client.block_status(1 << 20, 4 << 20, lambda context, offset, runs, error: told.extend(runs))
    assert told[1] == 0, told
except nbd.Error as error:
    assert error.errno == "EIO", error
END
stop_server
