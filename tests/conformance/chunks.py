"""Chunks of structured replies: RD-04, RD-05, RD-07 and ST. That they do not overlap, stay inside
the request, cover it, and end with DONE is checked wherever a reply is received (replies.py)."""

from __future__ import annotations

import wire
from client import Client, Unmet
from suite import MIB, NotOffered, Server, pattern, scenario
from wire import SECTOR


def mixed_content(c: Client) -> bytes:
    """Data, zeroes, data, zeroes: the first 4 MiB."""
    whole = bytearray(4 * MIB)
    whole[0:65536] = pattern(65536, 31)
    whole[2 * MIB + 512:2 * MIB + 70000] = pattern(69488, 32)
    if c.flags & wire.FLAG_SEND_WRITE_ZEROES:
        c.expect_ok(wire.CMD_WRITE_ZEROES, 0, 4 * MIB)
    else:
        c.expect_ok(wire.CMD_WRITE, 0, payload=bytes(4 * MIB))
    c.expect_ok(wire.CMD_WRITE, 0, payload=bytes(whole[0:65536]))
    c.expect_ok(wire.CMD_WRITE, 2 * MIB, payload=bytes(whole[2 * MIB:2 * MIB + 131072]))
    return bytes(whole)


RANGES = ((0, SECTOR), (0, 4 * MIB), (65536 - SECTOR, 2 * SECTOR), (65536, MIB),
          (MIB, 2 * MIB), (2 * MIB + 69632, 4096), (4 * MIB - SECTOR, SECTOR))


@scenario("RD-04", "chunks lie inside the request, do not overlap, and cover it")
def chunks_cover(server: Server) -> None:
    c = server.enter(structured=True)
    whole = mixed_content(c)
    for offset, length in RANGES:
        c.expect_data(offset, whole[offset:offset + length])


@scenario("RD-04", "chunks begin and end at multiples of 512, where the request does", level="S")
def chunks_are_aligned(server: Server) -> None:
    c = server.enter(structured=True)
    mixed_content(c)
    for offset, length in c.expect_ok(wire.CMD_READ, 0, 4 * MIB).extents:
        if offset % SECTOR or length % SECTOR:
            raise Unmet(f"multiples of {SECTOR}", f"a chunk about {offset}+{length}")


@scenario("RD-05", "with DF there is one content chunk, and up to 64 KiB it works")
def unfragmented(server: Server) -> None:
    c = server.enter(structured=True, needs=wire.FLAG_SEND_DF)
    whole = mixed_content(c)
    for offset, length in RANGES:
        length = min(length, wire.MAX_DF_READ)
        c.expect_data(offset, whole[offset:offset + length], wire.CMD_FLAG_DF)


@scenario("RD-05", "with DF a READ of more is one content chunk, or EOVERFLOW and none")
def unfragmented_and_large(server: Server) -> None:
    c = server.enter(structured=True, needs=wire.FLAG_SEND_DF)
    whole = mixed_content(c)
    reply = c.expect((0, wire.EOVERFLOW), wire.CMD_READ, 0, 4 * MIB, wire.CMD_FLAG_DF)
    if bool(reply.contents) == bool(reply.error) or (reply.contents and reply.data != whole):
        raise Unmet("either the data or EOVERFLOW", f"{len(reply.contents)} chunks")


@scenario("RD-07", "a hole is told as such")
def hole_chunks(server: Server) -> None:
    c = server.enter(server.export("large"), structured=True)
    reply = c.expect_ok(wire.CMD_READ, 1 << 32, MIB)
    if any(reply.data):
        raise Unmet("zeroes", "data")
    if not reply.holes:
        raise NotOffered("offset-hole", "a READ of a hole was answered by data")


@scenario("ST-01", "without STRUCTURED_REPLY nothing is answered in chunks")
def no_chunks(server: Server) -> None:
    c = server.enter()
    for command in (wire.CMD_READ, wire.CMD_FLUSH, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES,
                    wire.CMD_CACHE, wire.CMD_BLOCK_STATUS, 77):
        c.ask(command, 0, 0 if command == wire.CMD_FLUSH else SECTOR)
    c.expect(wire.ERRORS, wire.CMD_READ, c.size, SECTOR)


@scenario("ST-01", "with STRUCTURED_REPLY whatever has data is answered in chunks")
def data_in_chunks(server: Server) -> None:
    c = server.enter(structured=True)
    for length in (SECTOR, 65536, MIB):
        if c.expect_ok(wire.CMD_READ, 0, length).simple:
            raise Unmet("chunks", "a simple reply")


@scenario("ST-02", "DONE comes once, with the last chunk, for every command and error")
def done_once(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"])
    for offset, flags in ((0, 0), (c.size, 0), (0, 1 << 10), (1 << 63, 0)):
        for command in (wire.CMD_READ, wire.CMD_WRITE, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES,
                        wire.CMD_CACHE, wire.CMD_BLOCK_STATUS, 77):
            payload = bytes(4096) if command == wire.CMD_WRITE else b""
            c.ask(command, offset, 4096, flags, payload=payload)
            c.expect_alive()


@scenario("ST-03", "errors in chunks have a number, and a text that is UTF-8 at most")
def error_chunks(server: Server) -> None:
    c = server.enter(structured=True)
    for command, offset, flags in ((wire.CMD_READ, c.size, 0), (wire.CMD_READ, 0, 1 << 10),
                                   (77, 0, 0), (wire.CMD_TRIM, c.size, 0)):
        reply = c.expect(wire.ERRORS, command, offset, SECTOR, flags)
        if b"\0" in reply.message or len(reply.message) > wire.MAX_STRING:
            raise Unmet("a text without NUL", repr(reply.message))
        reply.message.decode()


@scenario("ST-04", "no chunk has more data than the largest payload that was told")
def chunk_sizes(server: Server) -> None:
    c = server.enter(structured=True)
    if c.block_size is None:
        raise NotOffered("block-size", "no largest payload is told")
    largest = c.block_size.maximum
    for length in (min(largest, 32 * MIB), 64 * MIB):
        reply = c.expect((0, wire.EOVERFLOW, wire.EINVAL), wire.CMD_READ, 0, length)
        for chunk in reply.contents:
            if chunk.kind == wire.CHUNK_OFFSET_DATA and len(chunk.payload) - 8 > largest:
                raise Unmet(f"{largest} bytes of data at most", f"{len(chunk.payload) - 8}")
    c.expect_alive()
