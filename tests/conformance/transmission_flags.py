"""Transmission flags, and what they promise: TF."""

from __future__ import annotations

import wire
from client import Client, Unmet
from suite import Export, NotOffered, Server, go, scenario
from wire import SECTOR

CHANGING_FLAGS = (wire.FLAG_SEND_TRIM | wire.FLAG_SEND_WRITE_ZEROES | wire.FLAG_SEND_FAST_ZERO)
CHANGES = (wire.CMD_WRITE, wire.CMD_TRIM, wire.CMD_WRITE_ZEROES)


def all_exports(server: Server) -> list[Export]:
    return [server.main, *server.others.values()]


def expect_flags(c: Client, wanted: bool, flags: int, why: str) -> None:
    if bool(c.flags & flags) != wanted:
        raise Unmet(f"{flags:#x} to be {'set' if wanted else 'clear'}: {why}",
                    f"the flags {c.flags:#x}")


@scenario("TF-01", "HAS_FLAGS is always set")
def has_flags(server: Server) -> None:
    for export in all_exports(server):
        expect_flags(server.enter(export), True, wire.FLAG_HAS_FLAGS, export.name)


@scenario("TF-02", "READ_ONLY is set where nothing can be changed, and nowhere else")
def read_only_flag(server: Server) -> None:
    expect_flags(server.enter(), False, wire.FLAG_READ_ONLY, "the export is writable")
    export = server.export("read-only")
    expect_flags(server.enter(export), True, wire.FLAG_READ_ONLY, "the export is read-only")


def try_to_change(server: Server, errors: tuple[int, ...]) -> None:
    c = server.enter(server.export("read-only"))
    before = c.expect_ok(wire.CMD_READ, 0, 4096).data
    for command in CHANGES:
        payload = b"x" * SECTOR if command == wire.CMD_WRITE else b""
        for flags in (0, wire.CMD_FLAG_FUA if c.flags & wire.FLAG_SEND_FUA else 0):
            c.expect(errors, command, SECTOR, SECTOR, flags, payload=payload)
    c.expect_data(0, bytes(before))


@scenario("TF-02", "nothing changes a read-only export")
def read_only_is_meant(server: Server) -> None:
    try_to_change(server, wire.ERRORS)


@scenario("TF-02", "changing a read-only export is refused by EPERM", level="S")
def read_only_error(server: Server) -> None:
    try_to_change(server, (wire.EPERM,))


@scenario("TF-03", "FLUSH works where SEND_FLUSH is set, FUA where SEND_FUA is")
def flush_and_fua(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FLUSH | wire.FLAG_SEND_FUA)
    c.expect_ok(wire.CMD_WRITE, 0, flags=wire.CMD_FLAG_FUA, payload=b"y" * SECTOR)
    c.expect_ok(wire.CMD_FLUSH)
    c.expect_data(0, b"y" * SECTOR)


@scenario("TF-05", "what the flags offer is there")
def offers_are_meant(server: Server) -> None:
    c = server.enter()
    for flag, command in ((wire.FLAG_SEND_TRIM, wire.CMD_TRIM),
                          (wire.FLAG_SEND_WRITE_ZEROES, wire.CMD_WRITE_ZEROES)):
        if c.flags & flag:
            c.expect_ok(command, 0, 4096)


@scenario("TF-05", "a read-only export offers no changes", level="S")
def read_only_offers(server: Server) -> None:
    c = server.enter(server.export("read-only"))
    expect_flags(c, False, CHANGING_FLAGS, "the export is read-only")


@scenario("TF-06", "SEND_DF is clear while replies cannot be chunks")
def no_df_without_chunks(server: Server) -> None:
    expect_flags(server.enter(), False, wire.FLAG_SEND_DF, "no chunks were negotiated")


@scenario("TF-06", "where SEND_DF is set, READ with DF works")
def df_with_chunks(server: Server) -> None:
    c = server.enter(structured=True, needs=wire.FLAG_SEND_DF)
    c.expect_ok(wire.CMD_READ, 0, SECTOR, wire.CMD_FLAG_DF)


@scenario("TF-06", "SEND_DF is set behind EXTENDED_HEADERS as behind STRUCTURED_REPLY")
def df_with_extended_headers(server: Server) -> None:
    structured = server.enter(structured=True)
    extended = server.enter(extended=True)
    offered = bool(structured.flags & wire.FLAG_SEND_DF)
    expect_flags(extended, offered, wire.FLAG_SEND_DF, "as behind STRUCTURED_REPLY")


@scenario("TF-07", "FAST_ZERO is not offered without WRITE_ZEROES")
def fast_zero_needs_write_zeroes(server: Server) -> None:
    for export in all_exports(server):
        c = server.enter(export)
        if c.flags & wire.FLAG_SEND_FAST_ZERO:
            expect_flags(c, True, wire.FLAG_SEND_WRITE_ZEROES, "FAST_ZERO is offered")


@scenario("TF-10", "BLOCK_STATUS_PAYLOAD is clear without extended headers, RESIZE always")
def no_payload_without_extended_headers(server: Server) -> None:
    for structured in (False, True):
        try:
            c = server.enter(structured=structured)
        except NotOffered:
            continue
        expect_flags(c, False, wire.FLAG_BLOCK_STATUS_PAYLOAD, "the headers are compact")
        expect_flags(c, False, wire.FLAG_SEND_RESIZE, "nobody implements it")


@scenario("TF-10", "BLOCK_STATUS_PAYLOAD is clear while no context is selected", level="S")
def no_payload_without_contexts(server: Server) -> None:
    c = server.enter(extended=True)
    expect_flags(c, False, wire.FLAG_BLOCK_STATUS_PAYLOAD, "no context is selected")


@scenario("TF-10", "a context of another export does not bring BLOCK_STATUS_PAYLOAD", level="S")
def no_payload_for_another_export(server: Server) -> None:
    server.enter(extended=True, contexts=["base:allocation"],
                 needs=wire.FLAG_BLOCK_STATUS_PAYLOAD)
    other = server.second()
    c = server.haggle()
    c.ask_option(wire.OPT_EXTENDED_HEADERS)
    c.ask_option(wire.OPT_SET_META_CONTEXT, wire.meta_data(other.name, ["base:allocation"]))
    go(c, server.main.name)
    expect_flags(c, False, wire.FLAG_BLOCK_STATUS_PAYLOAD, "no context is selected")
