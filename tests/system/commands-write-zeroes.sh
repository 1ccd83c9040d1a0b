#!/usr/bin/env bash
# WRITE_ZEROES reads back as zeroes whatever its alignment and changes nothing else; with NO_HOLE
# the space stays allocated, without it may be given back.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

for file in a b; do head -c 4M /dev/zero | tr '\0' '\252' >"$file.img"; done
blocks() { echo $(($(stat -c %b a.img) + $(stat -c %b b.img))); }
full=$(blocks)
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
zero() { # FLAGS: zeroes [1 MiB + 3, 7 MiB + 8), a part of each file
    /usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" "$1" <<'END'
import sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
start, end, size = (1 << 20) + 3, (7 << 20) + 8, client.get_size()
client.zero(end - start, start, int(sys.argv[2]))
client.flush()
whole = b"".join(client.pread(1 << 20, at) for at in range(0, size, 1 << 20))
assert not whole[start:end].strip(b"\0"), "not all zeroes"
assert not (whole[:start] + whole[end:]).strip(b"\xaa"), "bytes outside the range have changed"
runs = []
client2 = nbd.NBD()
client2.add_meta_context("base:allocation")
client2.connect_uri(sys.argv[1])
client2.block_status(1 << 20, 2 << 20, lambda name, at, entries, error: runs.extend(entries))
assert not (int(sys.argv[2]) & nbd.CMD_FLAG_NO_HOLE) or not runs[1] & nbd.STATE_HOLE, runs
END
}
zero 2   # NO_HOLE
(($(blocks) >= full)) || fail "NO_HOLE gave space back: $full blocks before, $(blocks) after"
zero 0
(($(blocks) <= full / 2)) || fail "no space was given back: $full blocks before, $(blocks) after"
zero 3   # NO_HOLE, FUA: allocated again
(($(blocks) >= full)) || fail "NO_HOLE left holes: $full blocks wanted, $(blocks) found"
stop_server
