"""EXTENDED_HEADERS, which is experimental: EH and XH."""

from __future__ import annotations

import wire
from client import Client, Closed, Unmet
from suite import MIB, Server, go, negotiate, pattern, scenario
from wire import SECTOR

PAYLOAD = wire.CMD_FLAG_PAYLOAD_LEN


def negotiated(server: Server) -> Client:
    """A connection on which EXTENDED_HEADERS was acknowledged."""
    c = server.haggle()
    negotiate(c, wire.OPT_EXTENDED_HEADERS, "extended-headers")
    c.extended = True
    return c


@scenario("EH-01", "EXTENDED_HEADERS gets ACK or UNSUP")
def ack_or_unsup(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_EXTENDED_HEADERS)
    c.expect_option_reply(wire.OPT_EXTENDED_HEADERS, wire.REP_ACK, wire.REP_ERR_UNSUP)
    c.expect_haggling()


@scenario("EH-01", "EXTENDED_HEADERS with data gets INVALID, and nothing is enabled", level="S")
def with_data(server: Server) -> None:
    negotiated(server)
    c = server.haggle()
    c.option(wire.OPT_EXTENDED_HEADERS, b"data")
    c.expect_option_reply(wire.OPT_EXTENDED_HEADERS, wire.REP_ERR_INVALID)
    go(c, server.main.name)
    c.expect_alive()


@scenario("EH-01", "EXTENDED_HEADERS works behind STRUCTURED_REPLY and without it")
def independent(server: Server) -> None:
    for structured in (False, True):
        server.enter(structured=structured, extended=True).expect_alive()


@scenario("EH-02", "every request and every reply has the extended header")
def every_reply(server: Server) -> None:
    c = server.enter(extended=True)
    c.expect_ok(wire.CMD_WRITE, 4096, payload=pattern(8192))
    c.expect_data(4096, pattern(8192))
    for flag, command in ((wire.FLAG_SEND_FLUSH, wire.CMD_FLUSH),
                          (wire.FLAG_SEND_TRIM, wire.CMD_TRIM),
                          (wire.FLAG_SEND_WRITE_ZEROES, wire.CMD_WRITE_ZEROES)):
        if c.flags & flag:
            c.expect_ok(command, 0, 0 if command == wire.CMD_FLUSH else 4096)
    for command in (77, wire.CMD_READ, wire.CMD_TRIM):
        c.expect(wire.ERRORS, command, c.size, SECTOR)
    c.disconnect()


@scenario("EH-02", "a compact request ends the connection")
def compact_request(server: Server) -> None:
    c = server.enter(extended=True)
    c.send(wire.compact_request(wire.CMD_READ, 1, 0, SECTOR) + bytes(4))
    c.expect_closed("the header is compact")


@scenario("EH-02", "contexts can be selected without STRUCTURED_REPLY")
def contexts_without_structured_replies(server: Server) -> None:
    negotiated(server)
    server.enter(structured=True, contexts=["base:allocation"])
    c = server.enter(extended=True, contexts=["base:allocation"])
    c.expect_ok(wire.CMD_BLOCK_STATUS, 0, 4096)


@scenario("EH-02", "requests in flight together are each answered", level="M")
def in_flight(server: Server) -> None:
    c = server.enter(extended=True)
    writes = [c.begin(wire.CMD_WRITE, n * 8192, payload=pattern(8192, n)) for n in range(32)]
    c.finish(writes)
    replies = c.finish([c.begin(wire.CMD_READ, n * 8192, 8192) for n in range(32)])
    for n, reply in enumerate(replies):
        if bytes(reply.data) != pattern(8192, n):
            raise Unmet(f"what was written at {n * 8192}", "other bytes")


@scenario("EH-03", "EXPORT_NAME behind EXTENDED_HEADERS closes the connection")
def export_name(server: Server) -> None:
    c = negotiated(server)
    c.option(wire.OPT_EXPORT_NAME, server.main.name.encode())
    c.expect_closed("EXPORT_NAME must not be used")


@scenario("XH-01", "a WRITE without PAYLOAD_LEN has no payload, and gets EINVAL or the end")
def write_without_payload(server: Server) -> None:
    c = server.enter(extended=True)
    try:
        c.expect(wire.EINVAL, wire.CMD_WRITE, 0, SECTOR)
        c.expect_alive()
    except Closed:
        server.enter().expect_alive()


@scenario("XH-01", "READ of 2^32 bytes and more fails or ends, and is not cut to 32 bits")
def read_of_64_bits(server: Server) -> None:
    c = server.enter(server.export("large"), extended=True)
    for length in ((1 << 32) + SECTOR, 1 << 40, (1 << 64) - SECTOR):
        c.expect(wire.ERRORS, wire.CMD_READ, 0, length)
        c.expect_alive()


@scenario("XH-01", "lengths of 64 bits beyond the end are refused without overflow")
def range_of_64_bits(server: Server) -> None:
    c = server.enter(extended=True)
    for command in (wire.CMD_TRIM, wire.CMD_WRITE_ZEROES, wire.CMD_READ):
        for offset, length in ((0, c.size + SECTOR), (SECTOR, (1 << 64) - SECTOR),
                               (SECTOR, (1 << 64) - 1), (0, 1 << 32 | SECTOR),
                               ((1 << 64) - SECTOR, (1 << 64) - SECTOR)):
            if offset + length > c.size:
                c.expect(wire.ERRORS, command, offset, length)
    c.expect_alive()


@scenario("XH-02", "a payload larger than the server takes ends the connection", level="S")
def payload_too_large(server: Server) -> None:
    c = server.enter(extended=True)
    largest = c.block_size.maximum if c.block_size else wire.DEFAULT_MAX_PAYLOAD
    c.send(wire.extended_request(wire.CMD_WRITE, 1, 0, max(largest, 1 << 32) + 4096, PAYLOAD))
    c.expect_closed("the payload is too large")


@scenario("XH-02", "a payload that a command has no use for is read, and gets EINVAL")
def payload_without_use(server: Server) -> None:
    c = server.enter(extended=True)
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(SECTOR))
    for command in (wire.CMD_READ, wire.CMD_FLUSH, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES,
                    wire.CMD_CACHE, 77):
        payload = wire.extended_request(wire.CMD_WRITE, 9, 0, SECTOR)
        c.expect(wire.EINVAL, command, 0, payload=payload)
        c.expect_data(0, pattern(SECTOR))


@scenario("XH-02", "a WRITE that fails has had its payload read")
def payload_of_failure(server: Server) -> None:
    c = server.enter(extended=True)
    for offset, flags in ((c.size, 0), (1 << 63, 0), (0, 1 << 9)):
        c.expect(wire.ERRORS, wire.CMD_WRITE, offset, flags=flags, payload=b"x" * MIB)
        c.expect_alive()


@scenario("XH-03", "every chunk has the cookie and the offset of its request")
def echoes(server: Server) -> None:
    c = server.enter(extended=True)
    for cookie, offset in ((0, 4096), ((1 << 64) - 1, SECTOR), (5, 1 << 63), (6, (1 << 64) - 1)):
        for command in (wire.CMD_READ, wire.CMD_WRITE_ZEROES, 77):
            c.finish([c.begin(command, offset, 65536, cookie=cookie)])


@scenario("XH-06", "WRITE_ZEROES and TRIM of more than 4 GiB in one request")
def more_than_4_gib(server: Server) -> None:
    c = server.enter(server.export("large"), extended=True,
                     needs=wire.FLAG_SEND_WRITE_ZEROES | wire.FLAG_SEND_TRIM)
    for offset in (0, 1 << 32, c.size - 4096):
        c.expect_ok(wire.CMD_WRITE, offset, payload=pattern(4096))
    c.expect_ok(wire.CMD_WRITE_ZEROES, SECTOR, c.size - 2 * SECTOR)
    c.expect_data(0, pattern(4096)[:SECTOR] + bytes(4096 - SECTOR))
    c.expect_data(1 << 32, bytes(4096))
    c.expect_data(c.size - 4096, bytes(4096 - SECTOR) + pattern(4096)[-SECTOR:])
    c.expect_ok(wire.CMD_TRIM, 0, c.size)


@scenario("XH-07", "a client without extended headers is let in")
def not_required(server: Server) -> None:
    c = server.haggle()
    go(c, server.main.name)
    c.expect_alive()
