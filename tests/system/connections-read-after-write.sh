#!/usr/bin/env bash
# CAN_MULTI_CONN is meant: what one connection has been told is written, every other one reads,
# and its status too.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 1M a.img b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import os, sys, nbd
clients = []
for _ in range(4):
    client = nbd.NBD()
    client.add_meta_context("base:allocation")
    client.connect_uri(sys.argv[1])
    assert client.can_multi_conn()
    clients.append(client)

for turn in range(200):
    writer, others = clients[turn % 4], clients[:turn % 4] + clients[turn % 4 + 1:]
    offset = (turn * 10007) % ((2 << 20) - 5000)
    data = os.urandom(5000)
    writer.pwrite(data, offset, nbd.CMD_FLAG_FUA if turn % 3 == 0 else 0)
    for other in others:
        assert other.pread(5000, offset) == data, f"turn {turn}: an old value was read"
        runs = []
        other.block_status(5000, offset, lambda name, at, entries, error: runs.extend(entries))
        assert not runs[1] & nbd.STATE_ZERO, f"turn {turn}: called zeroes: {runs}"
    others[0].flush()
END
stop_server
