"""INFO and GO: IG."""

from __future__ import annotations

import wire
from client import Unmet
from suite import (UNKNOWN_NAME, NotOffered, Server, go, infos_of, learn, listing, negotiate,
                   scenario)

INFO_AND_GO = (wire.OPT_INFO, wire.OPT_GO)
ALL_INFOS = (wire.INFO_EXPORT, wire.INFO_NAME, wire.INFO_DESCRIPTION, wire.INFO_BLOCK_SIZE)


def expect_invalid(server: Server, data: bytes) -> None:
    c = server.haggle()
    for option in INFO_AND_GO:
        c.option(option, data)
        c.expect_option_reply(option, wire.REP_ERR_INVALID)
        c.expect_haggling()


@scenario("IG-01", "INFO and GO of two bytes get INVALID")
def two_bytes(server: Server) -> None:
    expect_invalid(server, b"\0\0")


@scenario("IG-01", "bytes behind the information requests get INVALID")
def trailing_bytes(server: Server) -> None:
    expect_invalid(server, wire.info_data(server.main.name) + b"zz")


@scenario("IG-01", "a count of more information requests than there are gets INVALID")
def count_too_large(server: Server) -> None:
    for count in (1, 0xFFFF):
        expect_invalid(server, wire.info_data(server.main.name, count=count))


@scenario("IG-01", "half an information request gets INVALID")
def half_a_request(server: Server) -> None:
    data = wire.info_data(server.main.name, [wire.INFO_NAME, wire.INFO_BLOCK_SIZE])
    expect_invalid(server, data[:-1])


def ask(server: Server, option: int, name: str, wanted: tuple[int, ...] = ()) -> dict[int, bytes]:
    """The info types in a successful answer."""
    c = server.haggle()
    c.option(option, wire.info_data(name, wanted))
    return infos_of(c.expect_option_reply(option, wire.REP_ACK))


@scenario("IG-02", "success is INFO_EXPORT of twelve bytes and what else was told, then ACK")
def success(server: Server) -> None:
    for option in INFO_AND_GO:
        if wire.INFO_EXPORT not in ask(server, option, server.main.name):
            raise Unmet("INFO_EXPORT", "none")


@scenario("IG-03", "information requests that are not known are ignored")
def unknown_requests(server: Server) -> None:
    for option in INFO_AND_GO:
        ask(server, option, server.main.name, (0x1234, wire.INFO_EXPORT, 0xFFFF))


@scenario("IG-03", "four hundred information requests are no fault", level="S")
def many_requests(server: Server) -> None:
    ask(server, wire.OPT_INFO, server.main.name, tuple(range(1000, 1400)))


@scenario("IG-04", "each info type is told once at most")
def told_once(server: Server) -> None:
    for option in INFO_AND_GO:
        c = server.haggle()
        c.option(option, wire.info_data(server.main.name, ALL_INFOS))
        told = c.expect_option_reply(option, wire.REP_ACK)
        if len(infos_of(told)) != len(told):
            raise Unmet("each info type once", repr([reply.data[:2].hex() for reply in told]))


@scenario("IG-05", "INFO_NAME is a name that LIST tells")
def canonical_name(server: Server) -> None:
    names = listing(server.haggle())
    asked = [server.main.name] + ([""] if server.default_size is not None else [])
    for name in asked:
        told = ask(server, wire.OPT_GO, name, (wire.INFO_NAME,)).get(wire.INFO_NAME)
        if (name if told is None else told.decode()) not in names:
            raise Unmet(f"one of {sorted(names)}", repr(told or name))


@scenario("IG-06", "INFO_DESCRIPTION is the text that LIST tells")
def description(server: Server) -> None:
    listed = listing(server.haggle()).get(server.main.name, "")
    told = ask(server, wire.OPT_INFO, server.main.name, (wire.INFO_DESCRIPTION,))
    found = told.get(wire.INFO_DESCRIPTION, b"").decode()
    if not listed and not found:
        raise NotOffered("description", "the export has none")
    if listed != found:
        raise Unmet(repr(listed), repr(found))


@scenario("IG-07", "the block sizes are powers of two, in order and within their bounds")
def block_sizes(server: Server) -> None:
    for option in INFO_AND_GO:
        c = server.haggle()
        c.option(option, wire.info_data(server.main.name, [wire.INFO_BLOCK_SIZE]))
        learn(c, c.expect_option_reply(option, wire.REP_ACK))
        if c.block_size is None:
            raise NotOffered("block-size", "INFO_BLOCK_SIZE was asked for and not told")
        check_block_size(c.block_size)


def check_block_size(found: wire.BlockSize) -> None:
    minimum_legal = is_power_of_two(found.minimum) and found.minimum <= 65536
    preferred_legal = (is_power_of_two(found.preferred)
                       and found.preferred >= max(512, found.minimum))
    if not (minimum_legal and preferred_legal and found.maximum >= found.preferred):
        raise Unmet("legal block sizes", str(found))


def is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


@scenario("IG-07", "a server that tells no block sizes serves single bytes")
def default_block_sizes(server: Server) -> None:
    c = server.enter()
    if c.block_size is None or c.block_size.minimum == 1:
        c.expect_ok(wire.CMD_READ, 1, 1)


@scenario("IG-08", "GO works without asking for the block sizes")
def without_block_sizes(server: Server) -> None:
    server.enter(infos=()).expect_alive()


@scenario("IG-09", "an unknown export gets UNKNOWN and no INFO; the next one may be asked for")
def unknown_export(server: Server) -> None:
    c = server.haggle()
    for option in INFO_AND_GO:
        c.option(option, wire.info_data(UNKNOWN_NAME, ALL_INFOS))
        if c.expect_option_reply(option, wire.REP_ERR_UNKNOWN):
            raise Unmet("no INFO about an unknown export", "some")
    c.option(wire.OPT_INFO, wire.info_data(server.main.name))
    c.expect_option_reply(wire.OPT_INFO, wire.REP_ACK)


@scenario("IG-10", "GO right after the same INFO tells the same")
def info_then_go(server: Server) -> None:
    for options in ((), (wire.OPT_STRUCTURED_REPLY,)):
        c = server.haggle()
        for option in options:
            c.ask_option(option)
        data = wire.info_data(server.main.name, ALL_INFOS)
        first, second = [infos_of(c.ask_option(option, data)[:-1]) for option in INFO_AND_GO]
        if first != second:
            raise Unmet(f"what INFO told: {first}", str(second))


@scenario("IG-11", "INFO enters nothing and takes nothing")
def info_takes_nothing(server: Server) -> None:
    c = server.haggle()
    for _ in range(20):
        c.option(wire.OPT_INFO, wire.info_data(server.main.name))
        c.expect_option_reply(wire.OPT_INFO, wire.REP_ACK)
    server.enter().expect_alive()
    go(c, server.main.name)
    c.expect_alive()


@scenario("IG-12", "no zeroes follow the ACK of GO, whatever the client's flags")
def no_zeroes_after_go(server: Server) -> None:
    c = server.haggle(flags=wire.FIXED_NEWSTYLE)
    go(c, server.main.name)
    c.expect_alive()


@scenario("IG-13", "a GO that fails leaves the haggling as it was")
def go_fails(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_GO, wire.info_data(server.unknown()))
    c.expect_refused(wire.OPT_GO)
    go(c, server.main.name)
    c.expect_alive()


@scenario("IG-14", "INFO tells the true size, and the flags that GO tells")
def info_tells_the_truth(server: Server) -> None:
    asked, entered = server.haggle(), server.haggle()
    asked.option(wire.OPT_INFO, wire.info_data(server.main.name))
    learn(asked, asked.expect_option_reply(wire.OPT_INFO, wire.REP_ACK))
    go(entered, server.main.name)
    for found in (asked.size, entered.size):
        if found != server.main.size:
            raise Unmet(f"the size {server.main.size}", str(found))
    if asked.flags != entered.flags:
        raise Unmet(f"the flags {entered.flags:#x}", f"{asked.flags:#x}")


@scenario("IG-16", "behind EXTENDED_HEADERS, GO is not UNSUP")
def go_behind_extended_headers(server: Server) -> None:
    c = server.haggle()
    negotiate(c, wire.OPT_EXTENDED_HEADERS, "extended-headers")
    go(c, server.main.name)
