#!/usr/bin/env bash
# TRIM gives space back, at most inside its range, over the border of two files; it never fails for
# its alignment. With FUA as well.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

for file in a b; do head -c 4M /dev/zero | tr '\0' '\252' >"$file.img"; done
blocks_before=$(($(stat -c %b a.img) + $(stat -c %b b.img)))
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
size = client.get_size()
assert client.can_trim() and size == 8 << 20
for offset, length, flags in (((1 << 20) + 5, 6 << 20, 0), (7, 3, 0), (size - 1, 1, nbd.CMD_FLAG_FUA)):
    client.trim(length, offset, flags)
    client.flush()
    whole = b"".join(client.pread(1 << 20, at) for at in range(0, size, 1 << 20))
    outside = whole[:7] + whole[10:(1 << 20) + 5] + whole[(7 << 20) + 5:size - 1]
    assert not outside.strip(b"\xaa"), "bytes outside the range have changed"
END
stop_server
(($(stat -c %b a.img) + $(stat -c %b b.img) <= blocks_before / 2)) || fail "no space was given back"
