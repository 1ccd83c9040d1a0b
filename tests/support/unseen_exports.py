#!/usr/bin/python3
"""Prints all that a server says, to every option about several names, on a line each.

usage: unseen_exports.py NBD-SOCKET
"""

import sys

import raw_client  # noqa: F401, where the others are
import wire
from client import Address, Client

NAMES = "", "hidden", "absent", "kernel", "open", "h" * 4096, "hidden\0"
ABOUT = set(range(1, 16)) - {wire.OPT_EXPORT_NAME, wire.OPT_ABORT, wire.OPT_GO}


def connect(flags=3):
    return Client(Address(sys.argv[1]), 60).greet(flags)


def tell(name, what, client):
    """All that the server says until it closes."""
    said = b""
    try:
        while more := client._link.recv(1 << 16):
            said += more
    except ConnectionResetError:
        pass  # it had not read all
    print(repr(name[:9]), what, said.hex())


for name in NAMES:
    for flags in 3, 0:
        client = connect(flags)
        client.option(wire.OPT_EXPORT_NAME, name.encode())
        client.send(wire.compact_request(wire.CMD_DISC, 1, 0, 0))
        tell(name, f"by EXPORT_NAME, flags {flags}", client)
    client = connect()
    for number in sorted(ABOUT):
        for data in (wire.info_data(name), wire.info_data(name, [0, 1, 2, 3]), b"",
                     wire.meta_data(name, ["base:allocation"]), wire.meta_data(name)):
            client.option(number, data)
    client.option(wire.OPT_GO, wire.info_data(name))
    client.option(wire.OPT_ABORT)
    client.send(bytes(64))  # no request either
    tell(name, "by all others", client)
