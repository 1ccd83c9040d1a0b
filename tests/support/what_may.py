#!/usr/bin/python3
"""Says what this client may do with an export: "read-write", "read-only" or "nothing". To be told
one thing and be given another is an error.

usage: what_may.py URI [SOURCE-ADDRESS]
"""

import errno
import socket
import sys
import urllib.parse

import nbd


def connect(uri, source=None):
    """A client that tries also what it was told not to."""
    client = nbd.NBD()
    client.set_strict_mode(0)
    client.set_uri_allow_local_file(True)
    if source is None:
        client.connect_uri(uri)
        return client
    parts = urllib.parse.urlsplit(uri)
    link = socket.create_connection((parts.hostname, parts.port), source_address=(source, 0))
    client.set_export_name(parts.path.removeprefix("/"))
    client.connect_socket(link.detach())
    return client


def is_refused(act, *arguments):
    try:
        act(*arguments)
        return False
    except nbd.Error as why:
        assert why.errnum == errno.EPERM, why
        return True


def what_may(client):
    """Tries everything that changes data, and writes a few zeroes where it is let."""
    read_only = client.is_read_only()
    assert client.can_multi_conn() and client.can_flush() and client.can_fua()
    found = [is_refused(client.pwrite, bytes(512), 0), is_refused(client.zero, 512, 512),
             is_refused(client.trim, 512, 1024), is_refused(client.pwrite, bytes(1 << 18), 4096)]
    client.pread(4096, 0)
    client.flush()
    assert set(found) == {read_only}, (read_only, found)
    assert client.can_trim() == client.can_zero() == (not read_only)
    return "read-only" if read_only else "read-write"


def main():
    try:
        client = connect(*sys.argv[1:])
    except nbd.Error as why:
        assert why.errnum not in (errno.EACCES, errno.ECONNREFUSED), why
        print("nothing")
        return
    print(what_may(client))
    client.shutdown()


if __name__ == "__main__":
    main()
