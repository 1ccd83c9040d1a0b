"""Sizes that are not what a disk's would be: SZ."""

from __future__ import annotations

import wire
from client import Client, Unmet
from options import export_name
from suite import Export, Server, pattern, scenario
from wire import SECTOR


def minimum_of(c: Client) -> int:
    return c.block_size.minimum if c.block_size else 1


@scenario("SZ-01", "the size of an export is a multiple of its minimum block")
def size_is_a_multiple(server: Server) -> None:
    for export in (server.main, *server.others.values()):
        c = server.enter(export)
        if c.size % minimum_of(c):
            raise Unmet(f"a multiple of {minimum_of(c)}", str(c.size))


@scenario("SZ-01", "an export of odd size has that size, and can be used up to its last byte",
          level="S")
def odd_size(server: Server) -> None:
    export = server.export("odd")
    c = server.enter(export)
    if c.size != export.size:
        raise Unmet(f"the size {export.size}", str(c.size))
    tail = export.size % SECTOR
    c.expect_ok(wire.CMD_WRITE, export.size - tail, payload=pattern(tail))
    c.expect_data(export.size - tail, pattern(tail))
    c.expect(wire.EINVAL, wire.CMD_READ, export.size - tail, SECTOR)
    c.expect(wire.ENOSPC, wire.CMD_WRITE, export.size - tail, payload=bytes(SECTOR))
    c.expect_data(export.size - tail, pattern(tail))


@scenario("SZ-01", "BLOCK_STATUS ends where an export of odd size does", level="M")
def status_of_odd_size(server: Server) -> None:
    export = server.export("odd")
    c = server.enter(export, structured=True, contexts=["base:allocation"])
    for offset in (0, export.size - 1, export.size - export.size % SECTOR):
        reply = c.expect_ok(wire.CMD_BLOCK_STATUS, offset, export.size - offset)
        for runs in reply.status.values():
            if offset + sum(length for length, _ in runs) > export.size:
                raise Unmet(f"no status beyond {export.size}", repr(runs))


def write_single_bytes(c: Client, export: Export) -> None:
    """Small writes work, or fail and change nothing."""
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(8192))
    wanted = bytearray(pattern(8192))
    for at, length in ((1, 1), (511, 2), (4095, 2), (4097, 1000)):
        if c.ask(wire.CMD_WRITE, at, payload=b"!" * length).error == 0:
            wanted[at:at + length] = b"!" * length
        c.expect_data(0, bytes(wanted))
    c.expect(wire.ERRORS, wire.CMD_READ, export.size - 1, 2)


@scenario("SZ-02", "small writes of a client that knows no block sizes work, or fail cleanly")
def unaware_client(server: Server) -> None:
    write_single_bytes(server.enter(infos=()), server.main)


@scenario("SZ-02", "so do those of a client that came by EXPORT_NAME")
def unaware_client_of_export_name(server: Server) -> None:
    c = server.haggle()
    export_name(c, server.main.name, 0)
    write_single_bytes(c, server.main)
