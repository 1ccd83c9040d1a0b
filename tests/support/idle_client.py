#!/usr/bin/python3
"""A client that is there and does nothing, until it is killed.

usage: idle_client.py URI [READS]

Prints a line when it is connected and has read something; then so many reads of 1 MiB are sent and
never waited for.
"""

import signal
import sys

import nbd

client = nbd.NBD()
client.connect_uri(sys.argv[1])
client.pread(512, 0)
print("connected", flush=True)
for place in range(int(sys.argv[2]) if len(sys.argv) > 2 else 0):
    client.aio_pread(nbd.Buffer(1 << 20), place << 20)
signal.pause()
