#!/usr/bin/env bash
# A client that does not take its replies keeps a graceful stop from ending; a second SIGTERM ends it.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 64M a.img
start_server --listen "unix://$PWD/nbd.sock" a.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" "$server" <<'END'
import os, signal, sys, time, nbd
server = int(sys.argv[2])
client = nbd.NBD()
client.connect_uri(sys.argv[1])
for number in range(64):   # 64 MiB of replies, which nobody reads
    client.aio_pread(nbd.Buffer(1 << 20), number << 20)
os.kill(server, signal.SIGTERM)
while os.path.exists(sys.argv[1].split("=")[1]):   # the listener is closed: it is stopping
    time.sleep(0.01)
os.kill(server, 0)
os.kill(server, signal.SIGTERM)
while os.path.exists(f"/proc/{server}/exe"):
    time.sleep(0.01)
END
wait "$server" || true
