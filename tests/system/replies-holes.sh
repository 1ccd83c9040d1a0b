#!/usr/bin/env bash
# Large reads tell of holes instead of sending zeroes, also to clients that never ask for the block
# status: what goes over the wire is the data, over the border of two files as well. Who cannot be
# told, because replies are simple or may not be fragmented, gets every zero.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/wire.sh"
requires_python nbd
workdir

sparse_files
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
cat >read.py <<'END'
import sys, nbd
uri, how, start, end, step = sys.argv[1:3] + [int(mib) << 20 for mib in sys.argv[3:]]
client = nbd.NBD()
client.set_request_structured_replies(how != "simple")
client.connect_uri(uri)
whole = open("whole.img", "rb")
whole.seek(start)
for offset in range(start, end, step):
    chunks = []
    def chunk(data, at, status, error):
        assert at == offset + sum(chunks), f"a chunk at {at} behind {chunks}"
        chunks.append(len(data))
    data = client.pread_structured(step, offset, chunk, nbd.CMD_FLAG_DF if how == "df" else 0)
    assert data == whole.read(step), f"other data at {offset}"
END
read_by() { counted /usr/bin/python3 read.py "$(counted_uri)" "$@"; }

# A server that is slow to look for holes at this moment may send them. 132 MiB have 1.3 MiB of data.
tells_holes() { read_by structured 448 580 "$1" && ((from_server < 2 << 20)); }
for mib in 1 4 32; do
    eventually 30 tells_holes "$mib" || fail "$from_server bytes for reads of $mib MiB"
done
for how in simple df; do
    read_by "$how" 508 516 4
    ((from_server >= 8 << 20)) || fail "$how: $from_server bytes"
done
stop_server
