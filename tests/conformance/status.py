"""BLOCK_STATUS: BS."""

from __future__ import annotations

import wire
from client import Client, Unmet
from replies import Reply
from suite import MIB, Export, Server, pattern, scenario
from wire import SECTOR

BASE = "base:allocation"
DEPTH = "qemu:allocation-depth"
GRAIN = 65536


def enter(server: Server, export: Export | None = None, needs: int = 0) -> Client:
    return server.enter(export, structured=True, contexts=[BASE], needs=needs)


def runs_of(c: Client, reply: Reply, context: str = BASE) -> list[tuple[int, int]]:
    """The descriptors of a context; those of every selected one must be there."""
    if set(reply.status) != set(c.contexts.values()):
        raise Unmet(f"one status chunk for each of {sorted(c.contexts.values())}",
                    f"for {sorted(reply.status)}")
    return reply.status[c.contexts[context]]


def status(c: Client, offset: int, length: int, flags: int = 0) -> list[tuple[int, int]]:
    """The descriptors for a range, as the rules have them."""
    runs = runs_of(c, c.expect_ok(wire.CMD_BLOCK_STATUS, offset, length, flags))
    if sum(run for run, _ in runs[:-1]) >= length:
        raise Unmet(f"all but the last descriptor to end before {length}", repr(runs[-3:]))
    if offset + sum(run for run, _ in runs) > c.size:
        raise Unmet(f"no status beyond {c.size}", repr(runs[-3:]))
    return runs


def checkerboard(c: Client) -> None:
    """Data and zeroes in turns, on the first MiB."""
    c.expect_ok(wire.CMD_WRITE_ZEROES, 0, MIB)
    for offset in range(0, MIB, 2 * GRAIN):
        c.expect_ok(wire.CMD_WRITE, offset, payload=pattern(GRAIN, offset))


@scenario("BS-01", "BLOCK_STATUS without a context gets EINVAL")
def without_context(server: Server) -> None:
    enter(server)
    for structured in (True, False):
        c = server.enter(structured=structured)
        c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, SECTOR)
        c.expect_alive()


@scenario("BS-02", "success is one status chunk for each selected context")
def one_chunk_each(server: Server) -> None:
    c = enter(server)
    for offset, length in ((0, SECTOR), (0, MIB), (c.size - SECTOR, SECTOR), (4096, c.size - 4096)):
        if not status(c, offset, length):
            raise Unmet("a descriptor", "none")


@scenario("BS-02", "this also holds for several contexts at once")
def one_chunk_for_each_of_two(server: Server) -> None:
    c = server.enter(structured=True, contexts=[BASE, DEPTH])
    reply = c.expect_ok(wire.CMD_BLOCK_STATUS, 0, MIB)
    for context in (BASE, DEPTH):
        runs_of(c, reply, context)


@scenario("BS-03", "with REQ_ONE there is one descriptor, not longer than the request")
def one_descriptor(server: Server) -> None:
    c = enter(server, needs=wire.FLAG_SEND_WRITE_ZEROES)
    checkerboard(c)
    for offset, length in ((0, 4 * GRAIN), (0, SECTOR), (GRAIN, SECTOR),
                           (GRAIN - SECTOR, 2 * SECTOR), (c.size - SECTOR, SECTOR), (0, c.size)):
        runs = status(c, offset, length, wire.CMD_FLAG_REQ_ONE)
        if len(runs) != 1 or runs[0][0] > length:
            raise Unmet(f"one descriptor of {length} bytes or less", repr(runs[:3]))


@scenario("BS-04", "only the last descriptor may pass the end of the request, none that of the "
          "export")
def last_descriptor(server: Server) -> None:
    c = enter(server, needs=wire.FLAG_SEND_WRITE_ZEROES)
    checkerboard(c)
    for offset, length in ((0, 4096), (0, GRAIN), (0, GRAIN + SECTOR), (SECTOR, 3 * GRAIN),
                           (0, c.size), (c.size - 4096, 4096)):
        status(c, offset, length)


@scenario("BS-04", "the same in a hole that is larger than the request")
def last_descriptor_in_a_hole(server: Server) -> None:
    c = enter(server, server.export("large"))
    for offset, length in ((0, 4096), (c.size - 4096, 4096), (1 << 32, 1 << 20),
                           (SECTOR, (1 << 32) - SECTOR)):
        status(c, offset, length)


@scenario("BS-05", "neighbours differ, and lengths are multiples of 512")
def tidy_descriptors(server: Server) -> None:
    c = enter(server, needs=wire.FLAG_SEND_WRITE_ZEROES)
    checkerboard(c)
    runs = status(c, 0, c.size)
    if len(runs) > wire.MAX_DESCRIPTORS or any(length % SECTOR for length, _ in runs):
        raise Unmet(f"multiples of {SECTOR} bytes", repr(runs[:5]))
    for (_, one), (_, next_one) in zip(runs, runs[1:]):
        if one == next_one:
            raise Unmet("equal neighbours as one", repr(runs[:5]))


@scenario("BS-06", "what is said to be zero is, and no other state is told")
def truthful(server: Server) -> None:
    c = enter(server, needs=wire.FLAG_SEND_WRITE_ZEROES)
    checkerboard(c)
    for flush in (False, True):
        if flush and c.flags & wire.FLAG_SEND_FLUSH:
            c.expect_ok(wire.CMD_FLUSH)
        at = 0
        for length, state in status(c, 0, MIB):
            if state & ~(wire.STATE_HOLE | wire.STATE_ZERO):
                raise Unmet("HOLE and ZERO at most", f"{state:#x}")
            if state & wire.STATE_ZERO:
                c.expect_data(at, bytes(min(length, MIB - at)))
            at += length


@scenario("BS-06", "holes are told in a sparse export", level="S")
def holes_told(server: Server) -> None:
    c = enter(server, server.export("large"))
    if not any(state & wire.STATE_ZERO for _, state in status(c, 1 << 32, 1 << 30)):
        raise Unmet("zeroes in an export that is nothing else", "none")


@scenario("BS-07", "allocation-depth tells 1 of what was written, and nothing beyond the layers")
def allocation_depth(server: Server) -> None:
    c = server.enter(structured=True, contexts=[DEPTH])
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(GRAIN))
    if c.flags & wire.FLAG_SEND_FLUSH:
        c.expect_ok(wire.CMD_FLUSH)
    runs = runs_of(c, c.expect_ok(wire.CMD_BLOCK_STATUS, 0, GRAIN), DEPTH)
    if runs[0][1] != 1:
        raise Unmet("the depth 1 of data", repr(runs[:3]))


@scenario("BS-07", "allocation-depth tells 0 of a hole")
def allocation_depth_of_hole(server: Server) -> None:
    large = server.export("large")
    c = server.enter(large, structured=True, contexts=[DEPTH])
    runs = runs_of(c, c.expect_ok(wire.CMD_BLOCK_STATUS, 1 << 32, 1 << 20), DEPTH)
    if any(depth not in (0, 1) for _, depth in runs):
        raise Unmet("the depth 0 or 1", repr(runs[:3]))
