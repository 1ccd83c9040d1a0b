#!/usr/bin/env bash
# SIGTERM while requests are in flight: each of them gets exactly one reply, what was acknowledged
# is in the file, and the server ends with status 0.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 64M a.img
start_server --listen "unix://$PWD/nbd.sock" a.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" "$server" a.img <<'END'
import collections, os, signal, sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
replies, written = collections.Counter(), {}

def send(number):
    data = number.to_bytes(4, "big") * 1024
    def done(error):
        replies[number] += 1
        if error.value == 0:
            written[number] = data
        return 1
    client.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data)), number * 4096, done)

for number in range(16384):
    if number == 5000:
        os.kill(int(sys.argv[2]), signal.SIGTERM)
    try:
        send(number)
        while client.aio_in_flight() >= 64:
            client.poll(-1)
    except nbd.Error:
        break   # the connection has been closed
assert len(written) >= 4936 and max(replies.values()) == 1, (len(written), max(replies.values()))
image = open(sys.argv[3], "rb").read()
for number, data in written.items():
    assert image[number * 4096:(number + 1) * 4096] == data, f"acknowledged write {number} is lost"
END
expect_stopped
