"""READ, WRITE, DISC, FLUSH, TRIM, CACHE and RESIZE: RD, WR, DC, FL, TR, CA, RS."""

from __future__ import annotations

import struct

import wire
from client import Client, Unmet
from suite import MIB, Server, pattern, scenario
from wire import SECTOR


@scenario("RD-01", "a READ that succeeds is a simple reply and its data")
def simple_read(server: Server) -> None:
    c = server.enter()
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(69632))
    for offset, length in ((0, 1 if c.block_size is None else c.block_size.minimum), (0, 4096),
                           (4096, 65536), (0, 65536 + 4096)):
        c.expect_data(offset, pattern(69632)[offset:offset + length])


@scenario("RD-01", "a READ that fails has no data")
def simple_read_fails(server: Server) -> None:
    c = server.enter()
    c.send(wire.compact_request(wire.CMD_READ, 1, c.size, 4096))
    c.send(wire.compact_request(wire.CMD_READ, 2, 0, SECTOR))
    magic, error, cookie = struct.unpack(">IIQ", c.receive(16, "bytes of a simple reply"))
    if magic != wire.SIMPLE_REPLY_MAGIC or (cookie == 1) != (error != 0):
        raise Unmet("an error for the first READ", f"{wire.error_name(error)} for {cookie}")
    c.receive(SECTOR + 16, "bytes of the reply to the second READ")
    c.expect_alive()


@scenario("RD-03", "once chunks were negotiated a READ that fails is answered in chunks too")
def structured_read_fails(server: Server) -> None:
    c = server.enter(structured=True)
    for offset, length, flags in ((c.size, SECTOR, 0), (c.size - SECTOR, 2 * SECTOR, 0),
                                  (0, SECTOR, 1 << 9), (1 << 63, SECTOR, 0),
                                  (0, SECTOR, wire.CMD_FLAG_NO_HOLE)):
        c.expect(wire.ERRORS, wire.CMD_READ, offset, length, flags)
    c.expect_alive()


@scenario("WR-01", "a WRITE that was answered is there for everybody")
def written(server: Server) -> None:
    c = server.enter()
    for turn, flags in enumerate((0, c.flags & wire.FLAG_SEND_FUA and wire.CMD_FLAG_FUA)):
        for length in (SECTOR, 4096, 131072, MIB + SECTOR):
            data = pattern(length, turn + length)
            c.expect_ok(wire.CMD_WRITE, 4096 + SECTOR, flags=flags, payload=data)
            server.enter().expect_data(4096 + SECTOR, data)


@scenario("WR-01", "a WRITE changes what it names and nothing else")
def written_precisely(server: Server) -> None:
    c = server.enter()
    c.expect_ok(wire.CMD_WRITE, 0, payload=b"." * 32 * SECTOR)
    c.expect_ok(wire.CMD_WRITE, 9 * SECTOR, payload=b"x" * 2 * SECTOR)
    c.expect_data(0, b"." * 9 * SECTOR + b"x" * 2 * SECTOR + b"." * 21 * SECTOR)


@scenario("WR-02", "a WRITE across the end fails")
def write_across_the_end(server: Server) -> None:
    c = server.enter()
    c.expect(wire.ERRORS, wire.CMD_WRITE, c.size - SECTOR, payload=b"x" * 2 * SECTOR)
    c.expect_alive()


def expect_simple_success(c: Client) -> None:
    """A simple reply with the cookie 1 and no error."""
    magic, error, cookie = struct.unpack(">IIQ", c.receive(16, "bytes of a simple reply"))
    if (magic, error, cookie) != (wire.SIMPLE_REPLY_MAGIC, 0, 1):
        raise Unmet("success", f"{wire.error_name(error)} for the cookie {cookie}")


@scenario("DC-01", "what was asked before DISC is answered, then the connection closes")
def read_then_disc(server: Server) -> None:
    wanted = pattern(MIB, 5)
    server.enter().expect_ok(wire.CMD_WRITE, 0, payload=wanted)
    for _ in range(20):
        c = server.enter()
        c.send(wire.compact_request(wire.CMD_READ, 1, 0, MIB)
               + wire.compact_request(wire.CMD_DISC, 2, 0, 0))
        expect_simple_success(c)
        if c.receive(MIB, "bytes of data") != wanted:
            raise Unmet("the bytes that were written", "others")
        c.expect_closed("DISC was sent")


@scenario("DC-01", "what was written before DISC is written")
def write_then_disc(server: Server) -> None:
    for turn in range(5):
        c = server.enter()
        data = pattern(MIB, turn)
        c.send(wire.compact_request(wire.CMD_WRITE, 1, 0, MIB) + data
               + wire.compact_request(wire.CMD_DISC, 2, 0, 0))
        expect_simple_success(c)
        c.expect_closed("DISC was sent")
        server.enter().expect_data(0, data)


@scenario("DC-01", "DISC has no reply")
def disc(server: Server) -> None:
    c = server.enter()
    c.expect_alive()
    c.disconnect()


@scenario("DC-02", "DISC with offset and length, and bytes behind it, ends the connection")
def disc_with_more(server: Server) -> None:
    c = server.enter()
    c.send(wire.compact_request(wire.CMD_DISC, 2, 1 << 63, 4096))
    c.expect_closed("DISC was sent")
    c = server.enter()
    c.send(wire.compact_request(wire.CMD_DISC, 2, 0, 0)
           + wire.compact_request(wire.CMD_READ, 3, 0, SECTOR))
    c.expect_closed("DISC was sent")


@scenario("FL-01", "FLUSH is answered, with nothing written and behind many writes")
def flush(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FLUSH)
    c.expect_ok(wire.CMD_FLUSH)
    sent = [c.begin(wire.CMD_WRITE, n * 4096, payload=pattern(4096, n)) for n in range(32)]
    sent.append(c.begin(wire.CMD_FLUSH))
    if any(reply.error for reply in c.finish(sent)):
        raise Unmet("success of each request", "an error")
    c.expect_data(31 * 4096, pattern(4096, 31))


@scenario("FL-02", "FLUSH with offset and length works or gets EINVAL")
def flush_with_range(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FLUSH)
    for offset, length in ((SECTOR, SECTOR), (c.size, SECTOR), (1 << 63, 0)):
        c.expect((0, wire.EINVAL), wire.CMD_FLUSH, offset, length)
        c.expect_alive()


def trim_between(server: Server, flags: int) -> None:
    """TRIM at odd places changes nothing beside them."""
    c = server.enter(needs=wire.FLAG_SEND_TRIM)
    minimum = c.block_size.minimum if c.block_size else 1
    data = pattern(65536, 9)
    for offset, end in ((4097, 8191), (1, 512), (8192, 16384), (5000, 60001), (65535, 65536)):
        offset, end = (at // minimum * minimum for at in (offset, end))
        c.expect_ok(wire.CMD_WRITE, 0, payload=data)
        c.expect_ok(wire.CMD_TRIM, offset, max(end - offset, minimum), flags)
        c.expect_data(0, data[:offset])
        c.expect_data(max(end, offset + minimum), data[max(end, offset + minimum):])


@scenario("TR-01", "TRIM never fails for its alignment and touches nothing outside its range")
def trim(server: Server) -> None:
    trim_between(server, 0)


@scenario("TR-01", "TRIM with FUA does no more and no less")
def trim_with_fua(server: Server) -> None:
    server.enter(needs=wire.FLAG_SEND_FUA)
    trim_between(server, wire.CMD_FLAG_FUA)


@scenario("CA-01", "CACHE that is not offered is answered, and changes nothing")
def cache_not_offered(server: Server) -> None:
    c = server.enter()
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(4096))
    c.expect((0, wire.EINVAL), wire.CMD_CACHE, 0, 4096)
    c.expect_data(0, pattern(4096))


@scenario("CA-01", "CACHE refuses flags that it does not have, and changes nothing", level="M")
def cache(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_CACHE)
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(MIB))
    c.expect_ok(wire.CMD_CACHE, 0, MIB)
    for flag in (1 << bit for bit in range(1, 16)):
        c.expect(wire.EINVAL, wire.CMD_CACHE, 0, 4096, flag)
    c.expect_data(0, pattern(MIB))


@scenario("CA-01", "CACHE works on a read-only export that offers it")
def cache_read_only(server: Server) -> None:
    c = server.enter(server.export("read-only"), needs=wire.FLAG_SEND_CACHE)
    c.expect_ok(wire.CMD_CACHE, 0, 4096)


@scenario("RS-01", "RESIZE, where it is not offered, gets EINVAL")
def resize(server: Server) -> None:
    c = server.enter()
    if c.flags & wire.FLAG_SEND_RESIZE:
        raise Unmet("SEND_RESIZE to be clear", f"the flags {c.flags:#x}")
    c.expect(wire.EINVAL, wire.CMD_RESIZE, c.size * 2, 0)
    c.expect_alive()
