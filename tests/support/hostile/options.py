#!/usr/bin/python3
"""Floods of options: too many, too long, without reading what they are answered. The server has a
handshake timeout of two seconds, 64 MiB of memory, and an export whose name and description are
as long as they may be.

usage: options.py PID URI
"""

import contextlib
import socket
import sys
import threading

from attack import (EACH_CONNECTION, KIB, MIB, Client, behave, connect, descriptors, drain, enter,
                    expect_all_gone, expect_memory, link_of, memory_kib, push_until_stuck, wire)

MEMORY = 64 * MIB
OPTIONS = 256  # that a client may send
HOARDERS = 100
LONGEST = 0xFFFFFFFF
LONG_DATA = bytes(MIB)
QUERIES = wire.meta_data("", [""] * ((MIB - 8) // 4))
A_QUERY = wire.option(wire.OPT_LIST_META_CONTEXT, wire.meta_data("", ["base:"] * 1000))


def answers(client: Client) -> list[int]:
    """The kind of every reply until the server closes."""
    kinds = []
    stream = link_of(client).makefile("rb", MIB)
    try:
        while len(head := stream.read(20)) == 20:
            reply = wire.OptionReply(int.from_bytes(head[8:12], "big"),
                                     int.from_bytes(head[12:16], "big"), b"")
            stream.read(int.from_bytes(head[16:20], "big"))
            kinds += [reply.kind] if reply.final else []
    except ConnectionError:
        pass
    return kinds


def send_all(client: Client, parts) -> None:
    """Sends one after the other until the server has closed."""
    try:
        for part in parts:
            link_of(client).sendall(part)
    except ConnectionError:
        pass


def flood(uri: str, option: bytes, count: int) -> list[int]:
    """Sends the option so often, and reads as it goes: what it was answered."""
    client = connect(uri).greet()
    sender = threading.Thread(target=send_all, args=(client, [option] * count))
    sender.start()
    found = answers(client)
    with contextlib.suppress(OSError):
        link_of(client).shutdown(socket.SHUT_RDWR)
    sender.join()
    return found


def expect_answers(found: list[int], kind: int) -> None:
    """No more of them than options are allowed, then the end; RST may have taken some away."""
    assert 0 < len(found) <= OPTIONS and set(found) == {kind}, (len(found), set(found))


def expect_ended(uri: str, data: bytes) -> None:
    """Sends without reading: the server ends it, whether it has to take it all or not."""
    client = connect(uri).greet()
    push_until_stuck(client, data)
    drain(client)


def hoard(uri: str) -> list[Client]:
    """Each announces as much as is allowed, and sends half of it."""
    clients = [connect(uri).greet() for _ in range(HOARDERS)]
    for client in clients:
        client.option(wire.OPT_INFO, LONG_DATA[:MIB // 2], length=MIB)
    return clients


def main() -> None:
    pid, uri = int(sys.argv[1]), sys.argv[2]
    base, empty = descriptors(pid), memory_kib(pid) * KIB
    a_list = wire.option(wire.OPT_LIST)
    expect_answers(flood(uri, a_list, 100_000), wire.REP_ACK)
    expect_ended(uri, a_list * 100_000)
    expect_answers(flood(uri, wire.option(0x5EED, LONG_DATA), 300), wire.REP_ERR_UNSUP)
    expect_answers(flood(uri, wire.option(wire.OPT_LIST_META_CONTEXT, QUERIES), 300),
                   wire.REP_ACK)
    expect_ended(uri, A_QUERY * 10_000)
    behave(uri, 100)
    for number in (wire.OPT_GO, wire.OPT_INFO, wire.OPT_LIST, 0x5EED, wire.OPT_EXPORT_NAME):
        expect_ended(uri, wire.option(number, LONG_DATA, length=LONGEST) + 32 * LONG_DATA)
    assert flood(uri, wire.option(0x5EED, 4 * LONG_DATA), 300) == [wire.REP_ERR_TOO_BIG] * 4
    behave(uri, 100)
    hoarders = hoard(uri)
    behave(uri, 1000)
    enter(uri).expect_ok(wire.CMD_READ, 0, 32 * MIB)
    for client in hoarders:
        drain(client)
    expect_all_gone(pid, base)
    expect_memory(pid, empty + MEMORY + HOARDERS * EACH_CONNECTION, "floods of options")


if __name__ == "__main__":
    main()
