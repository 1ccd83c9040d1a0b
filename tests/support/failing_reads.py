"""Reads where nothing can be read: failing_reads.py URI OFFSET COUNT. Each must fail with EIO, on a
connection that goes on: at offset 0 there are bytes."""

import errno
import sys

import nbd

uri, offset, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = nbd.NBD()
client.connect_uri(uri)
for _ in range(count):
    try:
        client.pread(512, offset)
    except nbd.Error as error:
        assert error.errnum == errno.EIO, error
    else:
        raise AssertionError("bytes that are not there were read")
assert len(client.pread(512, 0)) == 512
