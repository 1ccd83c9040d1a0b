"""Connection and greeting: HS."""

from __future__ import annotations

import struct

import wire
from client import Closed, Unmet
from replies import Request
from suite import Server, listing, scenario
from wire import SECTOR

OFFERED = wire.FIXED_NEWSTYLE | wire.NO_ZEROES


@scenario("HS-01", "the server greets first")
def greets_first(server: Server) -> None:
    server.connect().greeting()


@scenario("HS-02", "the handshake flags are FIXED_NEWSTYLE and NO_ZEROES")
def handshake_flags(server: Server) -> None:
    flags = server.connect().greeting()
    if flags != OFFERED:
        raise Unmet(f"the handshake flags {OFFERED:#x}", f"{flags:#x}")


def expect_flags_refused(server: Server, flags: int) -> None:
    c = server.connect().greet(flags)
    c.option(wire.OPT_LIST)
    c.expect_closed(f"the client flags were {flags:#x}")


@scenario("HS-03", "a client flag that was not offered ends the connection")
def unknown_client_flag(server: Server) -> None:
    expect_flags_refused(server, 0x0000000B)


@scenario("HS-03", "the same for the lowest and the highest of the flags that are not defined")
def other_unknown_client_flags(server: Server) -> None:
    for bit in (2, 15, 16, 31):
        expect_flags_refused(server, OFFERED | 1 << bit)


@scenario("HS-04", "without C_FIXED_NEWSTYLE, EXPORT_NAME works")
def plain_newstyle(server: Server) -> None:
    c = server.haggle(flags=0)
    c.option(wire.OPT_EXPORT_NAME, server.main.name.encode())
    c.receive(10 + 124, "bytes of the answer to EXPORT_NAME")
    c.expect_alive()


@scenario("HS-04", "without C_FIXED_NEWSTYLE there is no TLS")
def plain_newstyle_without_tls(server: Server) -> None:
    expect_error_or_close(server, wire.OPT_STARTTLS)


@scenario("HS-04", "without C_FIXED_NEWSTYLE other options are refused, or end the connection",
          level="S")
def plain_newstyle_options(server: Server) -> None:
    expect_error_or_close(server, wire.OPT_LIST)


def expect_error_or_close(server: Server, option: int) -> None:
    c = server.haggle(flags=0)
    c.option(option)
    c.expect_refused_or_closed(option)


@scenario("HS-05", "a client that sends byte by byte is understood")
def byte_by_byte(server: Server) -> None:
    c = server.connect()
    c.greeting()
    c.send_slowly(struct.pack(">I", OFFERED))
    c.send_slowly(wire.option(0x7654321, b"some data"))
    c.expect_option_reply(0x7654321, wire.REP_ERR_UNSUP)
    c.send_slowly(wire.option(wire.OPT_GO, wire.info_data(server.main.name)))
    c.expect_option_reply(wire.OPT_GO, wire.REP_ACK)
    c.send_slowly(wire.compact_request(wire.CMD_WRITE, 1, 4096, SECTOR) + bytes(SECTOR))
    c.send_slowly(wire.compact_request(wire.CMD_READ, 2, 8192, SECTOR))
    replies = c.finish([Request(wire.CMD_WRITE, 1, 4096, SECTOR),
                        Request(wire.CMD_READ, 2, 8192, SECTOR)])
    if any(reply.error for reply in replies):
        raise Unmet("success of WRITE and READ", "an error")


@scenario("HS-05", "flags, options and requests in one segment are understood")
def all_at_once(server: Server) -> None:
    c = server.connect()
    c.send(struct.pack(">I", OFFERED) + wire.option(wire.OPT_EXPORT_NAME, server.main.name.encode())
           + wire.compact_request(wire.CMD_READ, 7, 0, SECTOR))
    c.greeting()
    c.receive(10, "bytes of the answer to EXPORT_NAME")
    c.receive(16 + SECTOR, "bytes of the reply to READ")


@scenario("HS-06", "a wrong option magic ends the connection")
def wrong_option_magic(server: Server) -> None:
    c = server.haggle()
    c.send(b"X" * 16)
    c.expect_closed("16 times X is no option")


@scenario("HS-08", "the greeting is not that of the oldstyle protocol")
def not_oldstyle(server: Server) -> None:
    found = server.connect().receive(16, "bytes of greeting")
    if found[8:] == struct.pack(">Q", wire.OLDSTYLE_MAGIC):
        raise Unmet("IHAVEOPT", "the oldstyle magic")


@scenario("HS-10", "a client that never stops asking is answered or dropped")
def endless_options(server: Server) -> None:
    c = server.haggle()
    for _ in range(1000):
        try:
            c.ask_option(wire.OPT_LIST)
        except Closed:
            break
    server.enter().expect_alive()


@scenario("HS-10", "an option of 4 GiB harms nobody else")
def endless_option(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_LIST, bytes(1 << 20), length=0xFFFFFFFF)
    server.enter().expect_alive()


@scenario("HS-11", "a client may leave at any byte of the haggling")
def leaving_at_any_byte(server: Server) -> None:
    script = (struct.pack(">I", OFFERED) + wire.option(0x7654321, b"data")
              + wire.option(wire.OPT_STRUCTURED_REPLY)
              + wire.option(wire.OPT_GO, wire.info_data(server.main.name, [wire.INFO_BLOCK_SIZE]))
              + wire.compact_request(wire.CMD_READ, 1, 0, SECTOR))
    for length in range(len(script) + 1):
        c = server.connect()
        c.send(script[:length])
        c.close()
    server.enter().expect_alive()


@scenario("HS-12", "clients that stop before GO take nothing from those who go on")
def stopping_before_go(server: Server) -> None:
    for _ in range(20):
        c = server.haggle()
        c.option(wire.OPT_INFO, wire.info_data(server.main.name))
        c.expect_option_reply(wire.OPT_INFO, wire.REP_ACK)
    server.enter().expect_alive()
    listing(server.haggle())
