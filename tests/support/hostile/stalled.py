#!/usr/bin/python3
"""Two clients take all memory there is, 64 MiB, for writes that one does not go on with, and the
other a byte at a time. Small requests are served all the time; a large one waits, until the server
gives the two up.

usage: stalled.py PID URI
"""

import select
import sys

from attack import (BLOCK, MIB, behave, descriptors, drain, enter, expect_all_gone, link_of, push,
                    wire)

LARGEST = 32 * MIB


def is_answered(client) -> bool:
    return bool(select.select([link_of(client)], [], [], 0)[0])


def main() -> None:
    pid, uri = int(sys.argv[1]), sys.argv[2]
    base = descriptors(pid)
    idle, waiting = enter(uri), enter(uri)
    stalled = [enter(uri) for _ in range(2)]
    for client in stalled:
        client.send(wire.compact_request(wire.CMD_WRITE, 1, LARGEST, LARGEST) + b"x" * BLOCK)
    behave(uri, 100)
    large = waiting.begin(wire.CMD_READ, 0, 8 * MIB)
    turns = 0
    while not is_answered(waiting):
        behave(uri, 20)
        push(stalled[0], b"x")
        turns += 1
    assert turns > 1, "there was memory enough"
    waiting.finish([large])
    for client in stalled:
        assert drain(client) == 0, "want it closed: it held memory that others wanted"
    idle.expect_alive()
    waiting.expect_ok(wire.CMD_READ, 0, LARGEST)
    for client in (idle, waiting):
        client.disconnect()
        client.close()
    expect_all_gone(pid, base)


if __name__ == "__main__":
    main()
