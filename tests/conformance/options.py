"""Option haggling in general: OP."""

from __future__ import annotations

import itertools
import struct
from typing import Iterable

import wire
from client import Client, Unmet
from suite import NotOffered, Server, go, learn, listing, scenario

META_OPTIONS = (wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT)


@scenario("OP-01", "every option is answered by replies to it, the last one ACK or an error")
def framing_of_replies(server: Server) -> None:
    c = server.haggle()
    name = server.main.name
    for option, data in ((wire.OPT_LIST, b""), (wire.OPT_STARTTLS, b"data"), (12, b""),
                         (wire.OPT_STRUCTURED_REPLY, b""),
                         (wire.OPT_LIST_META_CONTEXT, wire.meta_data(name)),
                         (wire.OPT_SET_META_CONTEXT, wire.meta_data(name, ["base:allocation"])),
                         (wire.OPT_INFO, wire.info_data(name, [wire.INFO_NAME]))):
        c.ask_option(option, data)
        c.expect_haggling()


@scenario("OP-02", "an unknown option gets UNSUP, its data consumed")
def unknown_option(server: Server) -> None:
    c = server.haggle()
    for data in (b"", b"hello", bytes(4096)):
        c.option(0x7654321, data)
        c.expect_option_reply(0x7654321, wire.REP_ERR_UNSUP)
    listing(c)


@scenario("OP-02", "option data that look like an option are not one")
def option_inside_data(server: Server) -> None:
    c = server.haggle()
    c.option(0x7654321, wire.option(wire.OPT_ABORT))
    c.expect_option_reply(0x7654321, wire.REP_ERR_UNSUP)
    c.expect_haggling()


@scenario("OP-03", "a known option that is malformed gets INVALID")
def malformed_is_invalid(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_INFO, wire.info_data(server.main.name) + b"zz")
    c.expect_option_reply(wire.OPT_INFO, wire.REP_ERR_INVALID)
    c.expect_haggling()


@scenario("OP-04", "what an error says is UTF-8 without NUL, also about a name that is neither")
def error_texts(server: Server) -> None:
    c = server.haggle()
    for name in (b"\x01\x1b[31m" * 682 + b"\x7f" * 4, "\u202e\u00e9".encode() * 800, b"\xff\xfe"):
        c.ask_option(wire.OPT_INFO, wire.info_data(name))
    c.expect_haggling()


def expect_malformed(server: Server, options: Iterable[int], cases: Iterable[bytes]) -> None:
    """Each of these data gets INVALID from each of these options, and the haggling goes on."""
    for option, data in itertools.product(options, cases):
        c = server.haggle()
        c.ask_option(wire.OPT_STRUCTURED_REPLY)
        c.option(option, data)
        refusal = c.expect_refused(option)
        if option in META_OPTIONS and refusal.kind == wire.REP_ERR_UNSUP:
            raise NotOffered("base-allocation", "metadata contexts are answered UNSUP")
        if refusal.kind != wire.REP_ERR_INVALID:
            raise Unmet(f"INVALID to option {option} with {data[:16].hex()}", str(refusal))
        c.expect_haggling()


@scenario("OP-05", "INFO and GO too short to have a name and a count get INVALID")
def info_too_short(server: Server) -> None:
    expect_malformed(server, (wire.OPT_INFO, wire.OPT_GO), [bytes(n) for n in range(6)])


@scenario("OP-05", "INFO and GO with a name longer than the option get INVALID")
def info_name_too_long(server: Server) -> None:
    lengths = (1, 2, 3, 4095, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFA, 0xFFFFFFFE, 0xFFFFFFFF)
    expect_malformed(server, (wire.OPT_INFO, wire.OPT_GO),
                     [wire.text(b"", length=n) + b"\0\0" for n in lengths])


@scenario("OP-05", "LIST_ and SET_META_CONTEXT with a name longer than the option get INVALID")
def meta_name_too_long(server: Server) -> None:
    lengths = (5, 4095, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF)
    cases = [wire.text(b"", length=n) + bytes(4) for n in lengths]
    cases += [bytes(n) for n in range(4)]
    cases += [wire.text(server.main.name) + bytes(n) for n in range(4)]
    expect_malformed(server, META_OPTIONS, cases)


def expect_name_refused(server: Server, name: bytes, *kinds: int) -> None:
    c = server.haggle()
    for option in (wire.OPT_INFO, wire.OPT_GO):
        c.option(option, wire.info_data(name))
        c.expect_option_reply(option, *kinds)
    c.expect_haggling()


@scenario("OP-06", "a name of more than 4096 bytes is refused by INVALID or TOO_BIG")
def overlong_name(server: Server) -> None:
    expect_name_refused(server, b"a" * 4097, wire.REP_ERR_INVALID, wire.REP_ERR_TOO_BIG)


@scenario("OP-06", "a name with NUL in it is refused")
def name_with_nul(server: Server) -> None:
    name = server.main.name.encode() + b"\0"
    expect_name_refused(server, name, wire.REP_ERR_INVALID, wire.REP_ERR_UNKNOWN)


@scenario("OP-06", "a name with NUL in it, or that is not UTF-8, is refused by INVALID", level="S")
def ill_formed_name(server: Server) -> None:
    for name in (b"a\0b", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80"):
        expect_name_refused(server, name, wire.REP_ERR_INVALID)


@scenario("OP-07", "ABORT is acknowledged, then the connection closes")
def abort(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_ABORT)
    c.expect_option_reply(wire.OPT_ABORT, wire.REP_ACK)
    c.expect_closed("ABORT was acknowledged")


@scenario("OP-07", "data of an ABORT are ignored")
def abort_with_data(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_ABORT, b"some data")
    c.expect_option_reply(wire.OPT_ABORT, wire.REP_ACK)
    c.expect_closed("ABORT was acknowledged")


@scenario("OP-07", "a client may be gone before its ABORT is answered")
def abort_and_leave(server: Server) -> None:
    for _ in range(10):
        c = server.haggle()
        c.option(wire.OPT_ABORT)
        c.close()
    server.enter().expect_alive()


@scenario("OP-08", "LIST names each export once, as GO takes it")
def list_of_exports(server: Server) -> None:
    c = server.haggle()
    *told, final = c.ask_option(wire.OPT_LIST)
    if final.kind == wire.REP_ERR_POLICY:
        raise NotOffered("list", "LIST is answered POLICY")
    names = list(listing(server.haggle()))
    if len(names) != len(told) or server.main.name not in names:
        raise Unmet(f"{server.main.name!r} among {len(told)} different names", repr(names))
    for name in names:
        c.option(wire.OPT_INFO, wire.info_data(name))
        c.expect_option_reply(wire.OPT_INFO, wire.REP_ACK)


@scenario("OP-09", "LIST with data gets INVALID")
def list_with_data(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_LIST, b"data")
    c.expect_option_reply(wire.OPT_LIST, wire.REP_ERR_INVALID)
    c.expect_haggling()


def export_name(c: Client, name: str, zeroes: int) -> None:
    """Enters transmission by EXPORT_NAME."""
    c.option(wire.OPT_EXPORT_NAME, name.encode())
    answer = c.receive(10 + zeroes, "bytes of the answer to EXPORT_NAME")
    c.size, c.flags = struct.unpack(">QH", answer[:10])
    if answer[10:] != bytes(zeroes):
        raise Unmet(f"{zeroes} zero bytes", answer[10:].hex())


@scenario("OP-11", "EXPORT_NAME answers size, flags and 124 zeroes")
def export_name_with_zeroes(server: Server) -> None:
    c = server.haggle(flags=wire.FIXED_NEWSTYLE)
    export_name(c, server.main.name, 124)
    c.expect_alive()


@scenario("OP-11", "EXPORT_NAME with C_NO_ZEROES answers size and flags, the same as INFO")
def export_name_without_zeroes(server: Server) -> None:
    c = server.haggle()
    export_name(c, server.main.name, 0)
    c.expect_alive()
    other = server.haggle()
    learn(other, go(other, server.main.name))
    wanted = (server.main.size, other.flags)
    if (c.size, c.flags) != wanted:
        raise Unmet(f"size and flags {wanted}", f"{(c.size, c.flags)}")


@scenario("OP-12", "EXPORT_NAME of an unknown export closes the connection without a byte")
def export_name_unknown(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_EXPORT_NAME, server.unknown().encode())
    c.expect_closed("there is no such export, and no way to say so")


@scenario("OP-12", "EXPORT_NAME of a name that is too long closes the connection without a byte")
def export_name_overlong(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_EXPORT_NAME, b"a" * 4097)
    c.expect_closed("there is no such export, and no way to say so")


@scenario("OP-13", "the empty name is that of the default export")
def default_export(server: Server) -> None:
    if server.default_size is None:
        raise NotOffered("default-export", "no default export was named")
    c = server.haggle()
    go(c, "")
    other = server.haggle()
    export_name(other, "", 0)
    for found in (c.size, other.size):
        if found != server.default_size:
            raise Unmet(f"the size {server.default_size}", str(found))


@scenario("OP-13", "where there is no default export, the empty name is unknown")
def no_default_export(server: Server) -> None:
    if not server.has_no_default:
        raise NotOffered("no-default-export", "--no-default-export was not given")
    c = server.haggle()
    c.option(wire.OPT_GO, wire.info_data(""))
    c.expect_option_reply(wire.OPT_GO, wire.REP_ERR_UNKNOWN)
    c.option(wire.OPT_EXPORT_NAME)
    c.expect_closed("there is no default export")


@scenario("OP-14", "STRUCTURED_REPLY a second time gets ACK or INVALID")
def repeated_option(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_STRUCTURED_REPLY)
    if c.option_replies(wire.OPT_STRUCTURED_REPLY)[-1].kind == wire.REP_ERR_UNSUP:
        raise NotOffered("structured-replies", "answered UNSUP")
    c.option(wire.OPT_STRUCTURED_REPLY)
    c.expect_option_reply(wire.OPT_STRUCTURED_REPLY, wire.REP_ACK, wire.REP_ERR_INVALID)
    c.expect_haggling()


@scenario("OP-16", "a client that asks only for what there is not is answered, not dropped")
def patience(server: Server) -> None:
    c = server.haggle()
    for _ in range(10):
        c.option(wire.OPT_GO, wire.info_data(server.unknown()))
        c.expect_refused(wire.OPT_GO)
        c.option(wire.OPT_STARTTLS)
        c.expect_refused(wire.OPT_STARTTLS)


@scenario("OP-17", "PEEK_EXPORT, which was withdrawn, gets UNSUP")
def peek_export(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_PEEK_EXPORT, server.main.name.encode())
    c.expect_option_reply(wire.OPT_PEEK_EXPORT, wire.REP_ERR_UNSUP)
    c.expect_haggling()


@scenario("OP-18", "ten thousand queries are read before they are answered, or refused")
def many_queries(server: Server) -> None:
    c = server.haggle()
    c.ask_option(wire.OPT_STRUCTURED_REPLY)
    for option in META_OPTIONS:
        c.option(option, wire.meta_data(server.main.name, ["base:allocation"] * 10000))
        c.option_replies(option)
    c.expect_haggling()
