"""WRITE_ZEROES: WZ."""

from __future__ import annotations

import wire
from client import Client
from suite import MIB, NotOffered, Server, pattern, scenario
from wire import SECTOR

LENGTH = 4 * 65536
ODD_RANGES = ((0, LENGTH), (4097, 4095), (1, 510), (65535, 65538), (8192, 4096), (LENGTH - 1, 1))


def ranges_of(c: Client) -> list[tuple[int, int]]:
    """The odd ranges, as far as the minimum block allows them."""
    minimum = c.block_size.minimum if c.block_size else 1
    return [(offset // minimum * minimum, max(length // minimum, 1) * minimum)
            for offset, length in ODD_RANGES]


def expect_zeroed(c: Client, flags: int) -> None:
    """Each range reads back as zeroes, and what is beside it as it was."""
    data = pattern(LENGTH, 21)
    for offset, length in ranges_of(c):
        c.expect_ok(wire.CMD_WRITE, 0, payload=data)
        c.expect_ok(wire.CMD_WRITE_ZEROES, offset, length, flags)
        c.expect_data(0, data[:offset] + bytes(length) + data[offset + length:])


@scenario("WZ-01", "WRITE_ZEROES reads back as zeroes, wherever it begins and ends")
def zeroes(server: Server) -> None:
    expect_zeroed(server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES), 0)


@scenario("WZ-01", "so it does with FUA")
def zeroes_with_fua(server: Server) -> None:
    needs = wire.FLAG_SEND_WRITE_ZEROES | wire.FLAG_SEND_FUA
    expect_zeroed(server.enter(needs=needs), wire.CMD_FLAG_FUA)


@scenario("WZ-01", "so it does behind a TRIM of the same range")
def zeroes_after_trim(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES | wire.FLAG_SEND_TRIM)
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(MIB))
    c.expect_ok(wire.CMD_TRIM, 0, MIB)
    c.expect_ok(wire.CMD_WRITE_ZEROES, 0, MIB)
    c.expect_data(0, bytes(MIB))


@scenario("WZ-02", "WRITE_ZEROES with NO_HOLE reads back as zeroes")
def zeroes_without_hole(server: Server) -> None:
    expect_zeroed(server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES), wire.CMD_FLAG_NO_HOLE)


@scenario("WZ-02", "what was zeroed with NO_HOLE is not told as a hole, where servers can tell")
def allocated(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"],
                     needs=wire.FLAG_SEND_WRITE_ZEROES)
    c.expect_ok(wire.CMD_WRITE_ZEROES, 0, MIB)
    c.expect_ok(wire.CMD_WRITE_ZEROES, 0, MIB, wire.CMD_FLAG_NO_HOLE)
    at = 0
    while at < MIB:
        reply = c.expect_ok(wire.CMD_BLOCK_STATUS, at, MIB - at)
        for length, status in next(iter(reply.status.values())):
            if at < MIB and status & wire.STATE_HOLE:
                raise NotOffered("provisioned-status", f"a hole is told at {at}")
            at += length


@scenario("WZ-03", "FAST_ZERO zeroes, or gets ENOTSUP and changes nothing")
def fast_zero(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FAST_ZERO)
    data = pattern(LENGTH, 22)
    for flags in (wire.CMD_FLAG_FAST_ZERO, wire.CMD_FLAG_FAST_ZERO | wire.CMD_FLAG_NO_HOLE):
        for offset, length in ranges_of(c):
            c.expect_ok(wire.CMD_WRITE, 0, payload=data)
            reply = c.expect((0, wire.ENOTSUP), wire.CMD_WRITE_ZEROES, offset, length, flags)
            after = data[offset:offset + length] if reply.error else bytes(length)
            c.expect_data(0, data[:offset] + after + data[offset + length:])


@scenario("WZ-03", "FAST_ZERO of the whole export is no EOVERFLOW", level="S")
def fast_zero_of_everything(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FAST_ZERO)
    c.expect((0, wire.ENOTSUP), wire.CMD_WRITE_ZEROES, 0, c.size, wire.CMD_FLAG_FAST_ZERO)


@scenario("WZ-03", "FAST_ZERO beyond the end gets ENOSPC or EINVAL, not ENOTSUP", level="S")
def fast_zero_beyond_the_end(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FAST_ZERO)
    errors = (wire.ENOSPC, wire.EINVAL)
    c.expect(errors, wire.CMD_WRITE_ZEROES, c.size, SECTOR, wire.CMD_FLAG_FAST_ZERO)


@scenario("WZ-04", "FAST_ZERO that is not offered gets EINVAL and changes nothing")
def fast_zero_not_offered(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES)
    if c.flags & wire.FLAG_SEND_FAST_ZERO:
        c = server.enter(server.export("read-only"))  # where zeroes of any speed are refused
        c.expect(wire.ERRORS, wire.CMD_WRITE_ZEROES, 0, SECTOR, wire.CMD_FLAG_FAST_ZERO)
        return
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(4096))
    c.expect(wire.EINVAL, wire.CMD_WRITE_ZEROES, 0, 4096, wire.CMD_FLAG_FAST_ZERO)
    c.expect_data(0, pattern(4096))


@scenario("WZ-04", "without FAST_ZERO there is no ENOTSUP")
def never_enotsup(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES)
    for flags in (0, wire.CMD_FLAG_NO_HOLE):
        for offset, length in ranges_of(c):
            c.expect_ok(wire.CMD_WRITE_ZEROES, offset, length, flags)
