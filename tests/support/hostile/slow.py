#!/usr/bin/python3
"""Clients that take or give a byte at a time, say goodbye with half their connection, or go on
talking after it; others are served meanwhile, and each gets what it is due.

usage: slow.py PID SLOW-URI GOOD-URI
"""

import struct
import sys

from attack import (BLOCK, KIB, MIB, Client, behave, connect, content, descriptors, drain, enter,
                    expect_all_gone, half_close, push_until_stuck, wire)

READERS, WRITERS, ROUNDS = 16, 4, 25
LARGEST = 32 * MIB
REPLY = struct.Struct(">IIQ")


def data_of(writer: int) -> bytes:
    """What one of the writers writes."""
    return content(writer + 1) * (LARGEST // BLOCK)


def read_reply(client: Client, cookie: int, data: bytes, taken: bytes = b"") -> None:
    """The rest of a simple reply, of which some bytes were taken before."""
    whole = taken + client.receive(REPLY.size + len(data) - len(taken))
    assert REPLY.unpack(whole[:REPLY.size]) == (wire.SIMPLE_REPLY_MAGIC, 0, cookie), "a reply"
    assert whole[REPLY.size:] == data, "what was read is not what was written"


def slowly(slow: str, good: str) -> None:
    """Readers and writers, all at a byte a time; then the rest at once."""
    enter(slow).expect_ok(wire.CMD_WRITE, 0, payload=data_of(0))
    readers = [enter(slow) for _ in range(READERS)]
    writers = [enter(slow) for _ in range(WRITERS)]
    taken = [b""] * READERS
    for reader in readers:
        for cookie in range(4):
            reader.begin(wire.CMD_READ, 0, MIB, cookie=cookie)
    for number, writer in enumerate(writers, 1):
        writer.send(wire.compact_request(wire.CMD_WRITE, 7, number * LARGEST + number, LARGEST))
    for turn in range(ROUNDS):
        taken = [there + reader.receive(1) for there, reader in zip(taken, readers)]
        for number, writer in enumerate(writers, 1):
            writer.send(data_of(number)[turn:turn + 1])
        behave(good, 20, 10 * turn)
    for reader, there in zip(readers, taken):
        read_reply(reader, 0, data_of(0)[:MIB], there)
        for cookie in range(1, 4):
            read_reply(reader, cookie, data_of(0)[:MIB])
    for number, writer in enumerate(writers, 1):
        writer.send(data_of(number)[ROUNDS:])
        read_reply(writer, 7, b"")
        writer.expect_data(number * LARGEST + number, data_of(number))


def half_closed(slow: str) -> None:
    """No more is sent, at various places: what was asked for in full is answered, no more."""
    for cut in range(1, 28):
        client = enter(slow)
        client.begin(wire.CMD_READ, 0, BLOCK, cookie=cut)
        client.send(wire.compact_request(wire.CMD_READ, 99, 0, BLOCK)[:cut])
        half_close(client)
        read_reply(client, cut, data_of(0)[:BLOCK])
        client.expect_closed("half a request was sent")
    for length, sent in ((BLOCK, 1), (256 * KIB, 100 * KIB), (LARGEST, 1), (LARGEST, MIB)):
        client = enter(slow)
        client.begin(wire.CMD_READ, 0, MIB, cookie=5)
        client.send(wire.compact_request(wire.CMD_WRITE, 6, 0, length) + data_of(0)[:sent])
        half_close(client)
        read_reply(client, 5, data_of(0)[:MIB])
        client.expect_closed("half a payload was sent")
    for data in (b"", b"\0\0", struct.pack(">I", 3), struct.pack(">I", 3) + wire.option(3)[:9],
                 struct.pack(">I", 3) + wire.option(3, b"abc", length=MIB)):
        client = connect(slow)
        client.greeting()
        client.send(data)
        half_close(client)
        client.expect_closed("no export can be chosen any more")


def after_goodbye(slow: str) -> None:
    """What follows DISC is not served, however much it is; what came before is."""
    for more in (b"x", wire.compact_request(wire.CMD_WRITE, 9, 0, BLOCK) + bytes(BLOCK),
                 bytes(16 * MIB)):
        client = enter(slow)
        client.begin(wire.CMD_READ, 0, MIB, cookie=8)
        client.begin(wire.CMD_DISC)
        push_until_stuck(client, more)
        read_reply(client, 8, data_of(0)[:MIB])
        client.expect_closed("DISC was sent")
        client.close()
    enter(slow).expect_data(0, data_of(0)[:MIB])
    endless = enter(slow)
    endless.begin(wire.CMD_DISC)
    push_until_stuck(endless, bytes(128 * MIB))
    assert drain(endless) == 0, "DISC has a reply"
    half = enter(slow)
    half.begin(wire.CMD_DISC)
    half_close(half)
    assert drain(half) == 0, "DISC has a reply"


def main() -> None:
    pid, slow, good = int(sys.argv[1]), *sys.argv[2:4]
    base = descriptors(pid)
    slowly(slow, good)
    half_closed(slow)
    after_goodbye(slow)
    behave(good, 100)
    expect_all_gone(pid, base)


if __name__ == "__main__":
    main()
