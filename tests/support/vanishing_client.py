#!/usr/bin/python3
"""A client that says no more once it is there, but does not end: its host is to vanish.

usage: vanishing_client.py URI nothing|reads|writes

Prints a line when it is in the middle of what it does: nothing; reads of 1 MiB of whose replies it
takes none; a WRITE of 32 MiB of which it has sent half.
"""

import signal
import sys

sys.dont_write_bytecode = True

from raw_client import enter, wire  # noqa: E402

MIB = 1 << 20
READS, WRITE = 60, 32 * MIB


def main():
    uri, doing = sys.argv[1:]
    client = enter(uri)
    client.expect_ok(wire.CMD_READ, 0, 512)
    if doing == "reads":
        client.send(b"".join(wire.compact_request(wire.CMD_READ, number, number % 32 * MIB, MIB)
                             for number in range(READS)))
    elif doing == "writes":
        client.send(wire.compact_request(wire.CMD_WRITE, 1, 0, WRITE) + bytes(WRITE // 2))
    print("there", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
