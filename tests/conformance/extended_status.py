"""BLOCK_STATUS behind EXTENDED_HEADERS: XH-04 and XH-05."""

from __future__ import annotations

import struct

import wire
from client import Client, Unmet
from replies import Reply
from suite import Export, Server, scenario
from wire import SECTOR

BASE = "base:allocation"
DEPTH = "qemu:allocation-depth"


def enter(server: Server, export: Export | None = None, *contexts: str, needs: int = 0) -> Client:
    return server.enter(export, extended=True, contexts=contexts or [BASE], needs=needs)


def enter_for_payload(server: Server, *contexts: str) -> Client:
    return enter(server, None, *contexts, needs=wire.FLAG_BLOCK_STATUS_PAYLOAD)


def filtered(length: int, *ids: int) -> bytes:
    """The payload that asks for some contexts only."""
    return struct.pack(f">Q{len(ids)}I", length, *ids)


def expect_contexts(reply: Reply, wanted: set[int]) -> None:
    if set(reply.status) != wanted:
        raise Unmet(f"the contexts {sorted(wanted)}", f"{sorted(reply.status)}")


@scenario("XH-04", "the status comes in chunks of 64 bits, upper half 0")
def wide_descriptors(server: Server) -> None:
    c = enter(server)
    for offset, length in ((0, SECTOR), (0, c.size), (c.size - SECTOR, SECTOR)):
        reply = c.expect_ok(wire.CMD_BLOCK_STATUS, offset, length)
        expect_contexts(reply, {c.contexts[BASE]})
        runs = reply.status[c.contexts[BASE]]
        if any(state >> 32 for _, state in runs):
            raise Unmet("a state of 32 bits", repr(runs[:3]))
        if offset + sum(run for run, _ in runs) > c.size:
            raise Unmet(f"no status beyond {c.size}", repr(runs[-3:]))


@scenario("XH-04", "a request about more than 4 GiB is answered")
def wide_request(server: Server) -> None:
    c = enter(server, server.export("large"))
    reply = c.expect_ok(wire.CMD_BLOCK_STATUS, 0, c.size)
    if sum(run for run, _ in reply.status[c.contexts[BASE]]) > c.size:
        raise Unmet(f"no status beyond {c.size}", "more")
    one = c.expect_ok(wire.CMD_BLOCK_STATUS, SECTOR, c.size - SECTOR, wire.CMD_FLAG_REQ_ONE)
    runs = one.status[c.contexts[BASE]]
    if len(runs) != 1 or runs[0][0] > c.size - SECTOR:
        raise Unmet("one descriptor inside the request", repr(runs[:3]))


@scenario("XH-05", "with a payload only the contexts named in it are told of")
def only_named_contexts(server: Server) -> None:
    c = enter_for_payload(server)
    number = c.contexts[BASE]
    for length in (SECTOR, c.size):
        reply = c.expect_ok(wire.CMD_BLOCK_STATUS, 0, payload=filtered(length, number))
        expect_contexts(reply, {number})
    expect_contexts(c.expect_ok(wire.CMD_BLOCK_STATUS, 0, SECTOR), {number})


@scenario("XH-05", "one context of two can be named")
def one_of_two(server: Server) -> None:
    c = enter_for_payload(server, BASE, DEPTH)
    base, depth = c.contexts[BASE], c.contexts[DEPTH]
    for ids in ((base,), (depth,), (depth, base)):
        reply = c.expect_ok(wire.CMD_BLOCK_STATUS, 0, payload=filtered(4096, *ids))
        expect_contexts(reply, set(ids))


@scenario("XH-05", "a context named twice or not selected gets EINVAL, the payload read")
def wrong_contexts(server: Server) -> None:
    c = enter_for_payload(server)
    number = c.contexts[BASE]
    for ids in ((number, number), (number ^ 0x5EED,), (number, number ^ 0x5EED)):
        c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, payload=filtered(4096, *ids))
        c.expect_alive()


@scenario("XH-05", "a payload of the wrong length gets EINVAL, and is read")
def wrong_lengths(server: Server) -> None:
    c = enter_for_payload(server)
    whole = filtered(4096, c.contexts[BASE])
    for payload in (whole[:1], whole[:7], whole[:11], whole + b"z", bytes(65536 + 2)):
        c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, payload=payload)
        c.expect_alive()


@scenario("XH-05", "the length in the payload is checked against the export", level="S")
def effect_length(server: Server) -> None:
    c = enter_for_payload(server)
    for offset, length in ((0, c.size + SECTOR), (c.size, SECTOR), (SECTOR, (1 << 64) - SECTOR)):
        payload = filtered(length, c.contexts[BASE])
        c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, offset, payload=payload)
        c.expect_alive()


@scenario("XH-05", "where the payload is not offered, it is read and gets EINVAL")
def not_offered(server: Server) -> None:
    c = server.enter(extended=True)
    c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, payload=filtered(4096, 1))
    c.expect_alive()
