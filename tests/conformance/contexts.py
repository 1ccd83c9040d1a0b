"""Metadata contexts in the haggling: MC."""

from __future__ import annotations

from typing import Iterable

import wire
from client import Client, Unmet
from suite import NotOffered, Server, context_of, go, negotiate, scenario, select
from wire import SECTOR

BASE = "base:allocation"


def ready(server: Server) -> Client:
    """A connection on which contexts can be asked for."""
    c = server.haggle()
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    c.structured = True
    return c


def offering(server: Server) -> Client:
    """The same, of a server that has base:allocation."""
    select(ready(server), server.main.name, [BASE])
    return ready(server)


def contexts(c: Client, option: int, name: str, *queries: bytes | str) -> dict[str, int]:
    """Names and ids in a successful answer."""
    c.option(option, wire.meta_data(name, queries))
    told = [context_of(reply) for reply in c.expect_option_reply(option, wire.REP_ACK)]
    found = {name: number for number, name in told}
    if len(found) != len(told) and option == wire.OPT_SET_META_CONTEXT:
        raise Unmet("each context once", repr(told))
    return found


def listed(c: Client, name: str, *queries: bytes | str) -> dict[str, int]:
    return contexts(c, wire.OPT_LIST_META_CONTEXT, name, *queries)


def selected(c: Client, name: str, *queries: bytes | str) -> dict[str, int]:
    return contexts(c, wire.OPT_SET_META_CONTEXT, name, *queries)


def expect_no_status(c: Client) -> None:
    """No context is selected: BLOCK_STATUS is refused, and READ goes on."""
    c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, SECTOR)
    c.expect_alive()


@scenario("MC-01", "a query longer than the option gets INVALID")
def query_too_long(server: Server) -> None:
    c = offering(server)
    name = wire.text(server.main.name)
    cases = (name + b"\0\0\0\1" + wire.text(BASE, length=16),
             name + b"\0\0\0\1" + wire.text(b"", length=0xFFFFFFFF),
             name + b"\0\0\0\2" + wire.text(BASE), name + b"\0\0\0\1")
    expect_invalid(c, cases)


@scenario("MC-01", "bytes behind the last query get INVALID", level="S")
def trailing_bytes(server: Server) -> None:
    cases = (wire.meta_data(server.main.name) + b"zz",
             wire.meta_data(server.main.name, [BASE]) + b"z")
    expect_invalid(offering(server), cases)


def expect_invalid(c: Client, cases: Iterable[bytes]) -> None:
    for option in (wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT):
        for data in cases:
            c.option(option, data)
            c.expect_option_reply(option, wire.REP_ERR_INVALID)
            c.expect_haggling()


@scenario("MC-02", "SET_META_CONTEXT gets INVALID unless replies can be chunks")
def without_structured_replies(server: Server) -> None:
    offering(server)
    c = server.haggle()
    c.option(wire.OPT_SET_META_CONTEXT, wire.meta_data(server.main.name, [BASE]))
    c.expect_option_reply(wire.OPT_SET_META_CONTEXT, wire.REP_ERR_INVALID,
                          wire.REP_ERR_EXT_HEADER_REQD)
    c.option(wire.OPT_LIST_META_CONTEXT, wire.meta_data(server.main.name))
    c.expect_option_reply(wire.OPT_LIST_META_CONTEXT, wire.REP_ERR_INVALID, wire.REP_ACK)
    c.expect_haggling()


@scenario("MC-03", "LIST_META_CONTEXT without queries lists what can be selected")
def list_without_queries(server: Server) -> None:
    c = offering(server)
    found = listed(c, server.main.name)
    if BASE not in found and "base:" not in found:
        raise Unmet(f"{BASE} or base:", repr(found))
    for name in (name for name in found if not name.endswith(":")):
        if name not in selected(c, server.main.name, name):
            raise Unmet(f"that {name} can be selected", "it cannot")


@scenario("MC-03", "LIST_META_CONTEXT with queries lists those that match")
def list_with_queries(server: Server) -> None:
    c = offering(server)
    for queries, wanted in (((BASE,), {BASE}), ((BASE, BASE), {BASE}), (("x-foo:bar",), set()),
                            (("x-foo:bar", BASE), {BASE})):
        found = set(listed(c, server.main.name, *queries))
        if found != wanted:
            raise Unmet(f"{wanted} for {queries}", repr(found))


@scenario("MC-04", "base: is a wildcard of LIST_META_CONTEXT, and selects nothing")
def base_wildcard(server: Server) -> None:
    c = offering(server)
    if BASE not in listed(c, server.main.name, "base:"):
        raise Unmet(f"{BASE} for base:", "nothing of that name")
    if found := selected(c, server.main.name, "base:"):
        raise Unmet("nothing selected by base:", repr(found))


@scenario("MC-04", "other leaves of base: are ignored, or INVALID")
def unknown_leaf(server: Server) -> None:
    c = offering(server)
    for option in (wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT):
        for query in ("base:no-such-leaf", "base:allocatio", "base:allocation "):
            c.option(option, wire.meta_data(server.main.name, [query]))
            if c.expect_option_reply(option, wire.REP_ACK):
                raise Unmet(f"no context for {query}", "one")


@scenario("MC-05", "namespaces that are not known are ignored")
def unknown_namespace(server: Server) -> None:
    c = offering(server)
    for query in ("x-foo:bar", "x-foo:", "qemux:dirty-bitmap:a", "x:y:z"):
        if found := {**listed(c, server.main.name, query), **selected(c, server.main.name, query)}:
            raise Unmet(f"nothing for {query}", repr(found))
    found = selected(c, server.main.name, "x-foo:bar", BASE)
    if set(found) != {BASE}:
        raise Unmet(f"{BASE} alone", repr(found))


@scenario("MC-06", "a query without a colon is INVALID or ignored")
def no_colon(server: Server) -> None:
    c = offering(server)
    for query in ("base", ""):
        c.option(wire.OPT_SET_META_CONTEXT, wire.meta_data(server.main.name, [query]))
        if c.expect_option_reply(wire.OPT_SET_META_CONTEXT, wire.REP_ACK, wire.REP_ERR_INVALID):
            raise Unmet("no context without a colon", "one")
        c.expect_haggling()


@scenario("MC-07", "SET_META_CONTEXT without queries selects nothing any more")
def cleared_by_no_queries(server: Server) -> None:
    c = offering(server)
    select(c, server.main.name, [BASE])
    selected(c, server.main.name)
    go(c, server.main.name)
    expect_no_status(c)


def expect_cleared(server: Server, data: bytes) -> None:
    """A SET_META_CONTEXT with these data fails, and leaves nothing selected."""
    c = offering(server)
    select(c, server.main.name, [BASE])
    c.option(wire.OPT_SET_META_CONTEXT, data)
    c.expect_refused(wire.OPT_SET_META_CONTEXT)
    go(c, server.main.name)
    expect_no_status(c)


@scenario("MC-07", "a malformed SET_META_CONTEXT forgets the one before")
def cleared_by_malformed(server: Server) -> None:
    expect_cleared(server, wire.meta_data(server.main.name, [BASE], count=2))


@scenario("MC-07", "a SET_META_CONTEXT for an unknown export forgets the one before")
def cleared_by_unknown_export(server: Server) -> None:
    expect_cleared(server, wire.meta_data(server.unknown(), [BASE]))


@scenario("MC-07", "the last SET_META_CONTEXT of several is the one that counts")
def replaced(server: Server) -> None:
    c = offering(server)
    selected(c, server.main.name, "x-foo:bar")
    select(c, server.main.name, [BASE])
    go(c, server.main.name)
    found = c.expect_ok(wire.CMD_BLOCK_STATUS, 0, SECTOR).status
    if set(found) != {c.contexts[BASE]}:
        raise Unmet(f"the context {c.contexts[BASE]}", repr(found))


@scenario("MC-08", "ids of selected contexts differ")
def different_ids(server: Server) -> None:
    c = offering(server)
    names = [name for name in listed(c, server.main.name) if not name.endswith(":")]
    found = selected(c, server.main.name, *names)
    if len(set(found.values())) != len(found):
        raise Unmet("different ids", repr(found))


@scenario("MC-08", "LIST_META_CONTEXT tells the id 0", level="S")
def listed_ids(server: Server) -> None:
    found = listed(offering(server), server.main.name)
    if any(found.values()):
        raise Unmet("the id 0", repr(found))


@scenario("MC-09", "a context of one export is not there on another")
def other_export(server: Server) -> None:
    c, other = offering(server), server.second()
    select(c, server.main.name, [BASE])
    go(c, other.name)
    expect_no_status(c)


@scenario("MC-10", "an unknown export gets UNKNOWN")
def unknown_export(server: Server) -> None:
    c = offering(server)
    for option in (wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT):
        c.option(option, wire.meta_data(server.unknown(), [BASE]))
        c.expect_option_reply(option, wire.REP_ERR_UNKNOWN)
        c.expect_haggling()


@scenario("BS-07", "qemu: lists what can be selected of it")
def qemu_wildcard(server: Server) -> None:
    c = offering(server)
    found = listed(c, server.main.name, "qemu:")
    if not found:
        raise NotOffered("allocation-depth", "nothing is listed for qemu:")
    for name in (name for name in found if not name.endswith(":")):
        if name not in selected(c, server.main.name, name):
            raise Unmet(f"that {name} can be selected", "it cannot")
