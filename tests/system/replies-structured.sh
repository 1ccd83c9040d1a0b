#!/usr/bin/env bash
# READ as structured chunks: they cover the request exactly; with DF there is a single one; and a
# client that has not asked for structured replies gets simple ones.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

head -c 300000 /dev/urandom >a.img
truncate -s 300000 b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
cat a.img b.img >whole.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" whole.img <<'END'
import sys, nbd
uri, whole = sys.argv[1], open(sys.argv[2], "rb").read()

def chunks_of(client, length, offset, flags=0):
    found = []
    def chunk(data, at, status, error):
        assert error.value == 0 and status in (nbd.READ_DATA, nbd.READ_HOLE), (status, error.value)
        found.append((at, len(data) if status == nbd.READ_DATA else 0))
    data = client.pread_structured(length, offset, chunk, flags)
    assert data == whole[offset:offset + length], (length, offset)
    return found

client = nbd.NBD()
client.connect_uri(uri)
assert client.get_structured_replies_negotiated() and client.can_df()
for length, offset in ((1, 0), (600000, 0), (2, 299999), (131072, 270001)):
    assert chunks_of(client, length, offset)
for length, offset in ((65536, 290000), (512, 300000), (1, 599999)):
    assert chunks_of(client, length, offset, nbd.CMD_FLAG_DF) == [(offset, length)]

client = nbd.NBD()
client.set_request_structured_replies(False)
client.connect_uri(uri)
assert not client.get_structured_replies_negotiated() and not client.can_df()
assert client.pread(600000, 0) == whole
END
stop_server
