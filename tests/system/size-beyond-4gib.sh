#!/usr/bin/env bash
# Offsets and sizes beyond 32 bits: sparse files of 5 GiB and 8 TiB, the border between them, the
# very end, and zeroes and trims of almost 4 GiB in one request.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 5G a.img
truncate -s 8T b.img || { echo "skipped: want a filesystem with files of 8 TiB"; exit 77; }
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
client = nbd.NBD()
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
G, size = 1 << 30, (5 << 30) + (8 << 40)
assert client.get_size() == size

places = (4 * G - 2048, 4 * G + 1, 5 * G - 2048, 6 << 40, size - 4096)
for number, place in enumerate(places, 1):
    client.pwrite(bytes([number]) * 4096, place)
for number, place in enumerate(places, 1):
    assert client.pread(4096, place) == bytes([number]) * 4096 or number == 1, place
assert client.pread(2049, 4 * G - 2048) == b"\1" * 2049

most = 4 * G - 512
client.zero(most, 3 * G)   # from the first file into the second
client.trim(most, 5 << 40)
client.flush()
assert not any(client.pread(4096, 5 * G - 2048)) and client.pread(1, places[3]) == b"\4"
runs = []
client.block_status(most, size - most, lambda name, at, entries, error: runs.extend(entries))
assert runs[0] >= most - 4096 - 65536 and runs[1] & nbd.STATE_HOLE, runs
END
stop_server
(($(stat -c %b a.img) * 512 < 64 << 20)) || fail "a.img is not sparse any more"
