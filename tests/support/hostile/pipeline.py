#!/usr/bin/python3
"""Tens of thousands of requests at once from many connections that read no reply: the server's
memory stays bounded and others are served. Then all is read: one reply to each request.

usage: pipeline.py PID FLOODED-URI GOOD-URI

The server's memory is limited to 64 MiB. The flooded export becomes an alternation of data and
holes, so that large reads need memory.
"""

import struct
import sys
import threading
from dataclasses import dataclass

from attack import (BLOCK, EACH_CONNECTION, KIB, MIB, behave, content, descriptors, enter,
                    expect_all_gone, expect_memory, link_of, memory_kib, push, push_until_stuck,
                    reset, wire)

MEMORY = 64 * MIB
SIZE = 32 * MIB
RUN = 64 * KIB
CHUNK_HEADER = struct.Struct(">IHHQI")


@dataclass(frozen=True)
class Kind:
    """A flood: what each of its connections asks for."""

    name: str
    connections: int
    requests: int  # of each
    command: int
    first: int  # offset of the first request
    step: int  # to the next, around within the export
    length: int

    def place(self, number: int) -> int:
        return self.first + number * self.step % SIZE

    def encode(self) -> bytes:
        return b"".join(wire.compact_request(self.command, number, self.place(number), self.length)
                        for number in range(self.requests))


KINDS = (
    Kind("1 MiB reads", 8, 128, wire.CMD_READ, 0, MIB, MIB),
    Kind("4 KiB reads", 4, 20_000, wire.CMD_READ, 0, 2 * RUN, BLOCK),
    Kind("status of a run", 2, 50_000, wire.CMD_BLOCK_STATUS, 0, RUN, RUN),
    Kind("status of all runs", 8, 300, wire.CMD_BLOCK_STATUS, 0, 0, SIZE),
    Kind("errors", 2, 100_000, wire.CMD_READ, 4 * SIZE, 0, BLOCK),
)
NEVER_READ = Kind("1 MiB reads, never read", 8, 100_000, wire.CMD_READ, 0, MIB, MIB)


# Every other run is a hole. The server may tell of it, or send zeroes.
IMAGE = b"".join(content(number) * (RUN // BLOCK) + bytes(RUN)
                 for number in range(SIZE // RUN // 2))


class Flood:
    """One connection of a flood."""

    def __init__(self, uri: str, kind: Kind) -> None:
        self.kind = kind
        self.client = enter(uri, structured=True, contexts=["base:allocation"])
        self.requests = kind.encode()
        self.sent = push(self.client, self.requests)
        self.replies = bytearray(kind.requests)
        self.fault = "not finished"

    def send_rest(self) -> None:
        link_of(self.client).sendall(memoryview(self.requests)[self.sent:])

    def finish(self) -> None:
        """Sends what is left, and reads the replies to all of it."""
        sender = threading.Thread(target=self.send_rest)
        sender.start()
        stream = link_of(self.client).makefile("rb", 256 * KIB)
        done = 0
        while done < self.kind.requests:
            done += self.take_chunk(stream)
        sender.join()
        if self.replies.count(1) != self.kind.requests:
            raise ValueError("want each request answered once")
        self.client.disconnect()
        self.fault = ""

    def run(self) -> None:
        try:
            self.finish()
        except Exception as why:  # told by main()
            self.fault = f"{self.kind.name}: {why!r}"

    def take_chunk(self, stream) -> int:
        """Checks the next chunk: 1 if it is the last of its reply."""
        magic, flags, kind, cookie, length = CHUNK_HEADER.unpack(stream.read(CHUNK_HEADER.size))
        payload = stream.read(length)
        if magic != wire.STRUCTURED_REPLY_MAGIC or bool(kind & wire.CHUNK_ERROR_BIT) != (
                self.kind.name == "errors"):
            raise ValueError(f"a chunk {magic:#x} of kind {kind:#x}")
        if kind == wire.CHUNK_OFFSET_DATA:
            self.check_data(cookie, struct.unpack_from(">Q", payload)[0], payload[8:])
        if flags & wire.REPLY_FLAG_DONE:
            self.replies[cookie] += 1
        return flags & wire.REPLY_FLAG_DONE

    def check_data(self, cookie: int, offset: int, data: bytes) -> None:
        if not 0 <= offset - self.kind.place(cookie) <= self.kind.length - len(data):
            raise ValueError(f"data at {offset} in reply {cookie}")
        if data != IMAGE[offset:offset + len(data)]:
            raise ValueError(f"other data than written at {offset}")


def prepare(uri: str) -> None:
    """Writes every other run of the export."""
    client = enter(uri)
    for offset in range(0, SIZE, 2 * RUN):
        client.expect_ok(wire.CMD_WRITE, offset, payload=IMAGE[offset:offset + RUN])
    client.close()


def flood(uri: str, good: str) -> None:
    """All floods at once; a well-behaved client beside them, before and while they are read."""
    never = [enter(uri, structured=True) for _ in range(NEVER_READ.connections)]
    requests = NEVER_READ.encode()
    for client in never:
        push(client, requests)
    floods = [Flood(uri, kind) for kind in KINDS for _ in range(kind.connections)]
    behave(good, 1000)
    push_until_stuck(never[0], requests)
    for client in never:
        reset(client)
    readers = [threading.Thread(target=each.run) for each in floods]
    for reader in readers:
        reader.start()
    behave(good, 1000, 500)
    for reader in readers:
        reader.join()
    faults = [each.fault for each in floods if each.fault]
    assert not faults, "\n".join(faults)


def main() -> None:
    pid, flooded, good = int(sys.argv[1]), *sys.argv[2:4]
    base, empty = descriptors(pid), memory_kib(pid) * KIB
    prepare(flooded)
    connections = NEVER_READ.connections + sum(kind.connections for kind in KINDS) + 1
    for turn in ("once", "again"):
        flood(flooded, good)
        expect_all_gone(pid, base)
        expect_memory(pid, empty + MEMORY + connections * EACH_CONNECTION, turn)


if __name__ == "__main__":
    main()
