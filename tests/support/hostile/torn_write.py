#!/usr/bin/python3
"""WRITEs whose clients vanish in the middle of the payload: what is outside of their range stays as
it was, and inside lies nothing but what was there or what was sent.

usage: torn_write.py PID URI
"""

import sys

from attack import (BLOCK, KIB, MIB, Client, descriptors, enter, expect_all_gone, half_close, reset,
                    wire)

OLD, NEW = b"o", b"n"
STEP = 2 * MIB
RANGES = (  # where in a stretch of the export, and how long
    (0, BLOCK), (BLOCK - 1, BLOCK + 2), (777, 100 * KIB), (BLOCK, 128 * KIB), (0, 256 * KIB),
    (511, 300 * KIB + 3), (123, MIB), (BLOCK, MIB + 512))
ENDS = (Client.close, reset, half_close)


def attempts(block: int) -> list[tuple[int, int, int]]:
    """Offset, length and bytes sent, where a request must fit blocks of that size."""
    found = []
    for place, length in RANGES:
        offset, length = place // block * block, max(length // block * block, block)
        for sent in sorted({1, block, length // 3, length // 2 + 1, length - 1}):
            if sent < length:
                found.append((offset, length, sent))
    return found


def tear(uri: str, offset: int, length: int, sent: int, flags: int, end) -> None:
    """Announces a WRITE, sends part of it, and is gone."""
    client = enter(uri)
    client.send(wire.compact_request(wire.CMD_WRITE, 1, offset, length, flags) + NEW * sent)
    end(client)


def check(client: Client, stretch: int, offset: int, length: int, sent: int) -> None:
    """One stretch after its write was torn."""
    found = client.expect_ok(wire.CMD_READ, stretch, STEP).data
    before, inside, after = found[:offset], found[offset:offset + length], found[offset + length:]
    what = f"write at {stretch + offset} length {length}, {sent} bytes sent"
    assert before == OLD * len(before), f"{what}: something before it has changed"
    assert after == OLD * len(after), f"{what}: something behind it has changed"
    rest = inside.lstrip(NEW)
    assert rest == OLD * len(rest), f"{what}: other bytes than were sent"
    assert length - len(rest) <= sent, f"{what}: more was written than was sent"


def main() -> None:
    pid, uri = int(sys.argv[1]), sys.argv[2]
    base, client = descriptors(pid), enter(uri)
    stretches = client.size // STEP
    todo = [(*attempt, flags, end) for flags in (0, wire.CMD_FLAG_FUA) for end in ENDS
            for attempt in attempts(client.block_size.minimum)]
    while todo:
        now, todo = todo[:stretches], todo[stretches:]
        for number in range(len(now)):
            client.expect_ok(wire.CMD_WRITE, number * STEP, payload=OLD * STEP)
        for number, (offset, *others) in enumerate(now):
            tear(uri, number * STEP + offset, *others)
        expect_all_gone(pid, base + 1)
        for number, (offset, length, sent, *_) in enumerate(now):
            check(client, number * STEP, offset, length, sent)
    client.disconnect()


if __name__ == "__main__":
    main()
