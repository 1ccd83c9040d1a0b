#!/usr/bin/python3
"""Plays a whole session and leaves at each byte of it: with RST over TCP, by closing over a Unix
socket; at once, or after having read what the server says to so much of it. Others go on.

usage: reset.py PID URI
"""

import os
import sys

from attack import (BLOCK, KIB, MIB, behave, connect, content, descriptors, drain, enter,
                    expect_all_gone, half_close, reset, wire)

OWN = 8 * MIB  # where the session writes; others write before that
LARGE = 320 * KIB  # large enough to be written as it arrives
NAME = "torn"
OFTEN = 64  # cuts between two looks at the others
CUTS_OF_A_PAYLOAD = 12


def script() -> list[tuple[bytes, bytes]]:
    """What the session sends, step by step: each a header and a payload."""
    context = wire.meta_data(NAME, ["base:allocation"])
    steps = [(b"\0\0\0\3", b""), (wire.option(wire.OPT_STRUCTURED_REPLY), b""),
             (wire.option(wire.OPT_SET_META_CONTEXT, context), b""),
             (wire.option(wire.OPT_GO, wire.info_data(NAME)), b""),
             (wire.compact_request(wire.CMD_READ, 1, OWN, BLOCK), b"")]
    for payload in (content(1), content(2) * (LARGE // BLOCK)):
        steps.append((wire.compact_request(wire.CMD_WRITE, 2, OWN, len(payload)), payload))
    steps.append((wire.compact_request(wire.CMD_BLOCK_STATUS, 3, OWN, BLOCK), b""))
    steps.append((wire.compact_request(wire.CMD_DISC, 4, 0, 0), b""))
    return steps


def told_by(uri: str, data: bytes) -> int:
    """How many bytes the server says to that."""
    client = connect(uri)
    client.send(data)
    half_close(client)
    return drain(client)


def cuts(uri: str) -> tuple[bytes, dict[int, int]]:
    """The whole session, and where to cut it: with what the server has said by then. All bytes of
    a payload are alike, so not all of them are tried."""
    whole, places, told = b"", {}, told_by(uri, b"")
    for header, payload in script():
        start = len(whole)
        places |= {start + at: told for at in range(len(header))}
        middle = range(start + len(header), start + len(header) + len(payload),
                       len(payload) // CUTS_OF_A_PAYLOAD + 1)
        places |= {at: told for at in middle}
        places |= {start + len(header) + len(payload) - 1: told}
        whole += header + payload
        told = told_by(uri, whole)
    return whole, places | {len(whole): told}


def leave_everywhere(uri: str, patient: bool) -> None:
    """A connection for each cut."""
    whole, places = cuts(uri)
    for turn, (place, told) in enumerate(places.items()):
        client = connect(uri)
        client.send(whole[:place])
        if patient:
            client.receive(told)
        reset(client)
        if turn % OFTEN == 0:
            behave(uri, 20, turn)


def main() -> None:
    pid, uri = int(sys.argv[1]), sys.argv[2]
    base, bystander = descriptors(pid), enter(uri)
    mark = content(0x5EED) * 16
    bystander.expect_ok(wire.CMD_WRITE, OWN - len(mark), payload=mark)
    bystander.expect_ok(wire.CMD_WRITE, OWN + LARGE, payload=mark)
    for patient in (True, False):
        leave_everywhere(uri, patient)
    expect_all_gone(pid, base + 1)
    assert descriptors(pid, "pipe") <= 16 * os.cpu_count(), "want no more pipes than are kept"
    bystander.expect_data(OWN - len(mark), mark)
    bystander.expect_data(OWN + LARGE, mark)
    bystander.disconnect()


if __name__ == "__main__":
    main()
