"""Which error a request gets: RQ-07, RQ-08, RQ-14."""

from __future__ import annotations

import wire
from client import Client
from suite import Server, scenario
from wire import SECTOR

UNUSUAL = (wire.ENOMEM, wire.EOVERFLOW, wire.ENOTSUP, wire.ESHUTDOWN)


def expect_out_of_range(c: Client, command: int, error: int) -> None:
    """Beyond the end, and across it."""
    for offset, length in ((c.size, SECTOR), (c.size - SECTOR, 2 * SECTOR),
                           (c.size + 4096, SECTOR)):
        payload = bytes(length) if command == wire.CMD_WRITE else b""
        c.expect(error, command, offset, length, payload=payload)
    c.expect_alive()


@scenario("RQ-07", "READ beyond the end gets EINVAL")
def read_beyond_the_end(server: Server) -> None:
    expect_out_of_range(server.enter(), wire.CMD_READ, wire.EINVAL)


@scenario("RQ-07", "READ beyond the end gets EINVAL, as chunks")
def structured_read_beyond_the_end(server: Server) -> None:
    expect_out_of_range(server.enter(structured=True), wire.CMD_READ, wire.EINVAL)


@scenario("RQ-07", "WRITE beyond the end gets ENOSPC")
def write_beyond_the_end(server: Server) -> None:
    expect_out_of_range(server.enter(), wire.CMD_WRITE, wire.ENOSPC)


@scenario("RQ-07", "WRITE_ZEROES beyond the end gets ENOSPC")
def write_zeroes_beyond_the_end(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES)
    expect_out_of_range(c, wire.CMD_WRITE_ZEROES, wire.ENOSPC)


@scenario("RQ-07", "TRIM beyond the end gets EINVAL")
def trim_beyond_the_end(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_TRIM)
    expect_out_of_range(c, wire.CMD_TRIM, wire.EINVAL)


@scenario("RQ-07", "CACHE beyond the end gets EINVAL")
def cache_beyond_the_end(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_CACHE)
    expect_out_of_range(c, wire.CMD_CACHE, wire.EINVAL)


@scenario("RQ-07", "BLOCK_STATUS beyond the end gets EINVAL")
def block_status_beyond_the_end(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"])
    expect_out_of_range(c, wire.CMD_BLOCK_STATUS, wire.EINVAL)


@scenario("RQ-08", "requests of no bytes do not end the connection")
def no_bytes(server: Server) -> None:
    for structured in (False, True):
        final = server.haggle().ask_option(wire.OPT_STRUCTURED_REPLY)[-1]
        if structured and final.refused:
            return
        c = server.enter(structured=structured)
        for command in (wire.CMD_READ, wire.CMD_WRITE, wire.CMD_TRIM, wire.CMD_CACHE,
                        wire.CMD_WRITE_ZEROES, wire.CMD_BLOCK_STATUS):
            for offset in (0, c.size):
                c.ask(command, offset, 0)
                c.expect_alive()


@scenario("RQ-08", "a BLOCK_STATUS of no bytes does not end the connection")
def block_status_of_no_bytes(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"])
    for offset in (0, c.size):
        c.ask(wire.CMD_BLOCK_STATUS, offset, 0)
        c.expect_alive()


@scenario("RQ-14", "errors are those that fit: EINVAL, ENOSPC, EPERM, EIO")
def usual_errors(server: Server) -> None:
    c = server.enter()
    usual = tuple(number for number in wire.ERRORS if number not in UNUSUAL)
    for command in (wire.CMD_READ, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES, wire.CMD_CACHE, 77):
        for offset, length, flags in ((c.size, SECTOR, 0), (1 << 63, SECTOR, 0),
                                      (0, SECTOR, 1 << 12), ((1 << 64) - 1, 0xFFFFFFFF, 0)):
            c.expect((*usual, 0) if command == wire.CMD_CACHE else usual,
                     command, offset, length, flags)
    c.expect_alive()
