"""TLS, as far as a server that is not configured for it is concerned: TLS."""

from __future__ import annotations

import wire
from client import Unmet
from suite import UNKNOWN_NAME, Server, scenario

ALL_OPTIONS = (wire.OPT_LIST, wire.OPT_PEEK_EXPORT, wire.OPT_STARTTLS, wire.OPT_INFO, wire.OPT_GO,
               wire.OPT_STRUCTURED_REPLY, wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT,
               wire.OPT_EXTENDED_HEADERS, 12, 0x7654321)


@scenario("TLS-01", "without TLS, STARTTLS is refused by POLICY or UNSUP")
def starttls_refused(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_STARTTLS)
    c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ERR_POLICY, wire.REP_ERR_UNSUP)
    c.expect_haggling()


@scenario("TLS-01", "without TLS, no option is ever answered TLS_REQD")
def never_tls_reqd(server: Server) -> None:
    for option in ALL_OPTIONS:
        c = server.haggle()
        final = c.ask_option(option, data_for(option, UNKNOWN_NAME))[-1]
        if final.kind == wire.REP_ERR_TLS_REQD:
            raise Unmet("anything but TLS_REQD", str(final))


def data_for(option: int, name: str) -> bytes:
    """Data such as the option has them."""
    if option in (wire.OPT_INFO, wire.OPT_GO):
        return wire.info_data(name)
    if option in (wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT):
        return wire.meta_data(name)
    return b""


@scenario("TLS-03", "STARTTLS with data is refused")
def starttls_with_data(server: Server) -> None:
    c = server.haggle()
    c.option(wire.OPT_STARTTLS, b"data")
    c.expect_refused(wire.OPT_STARTTLS)
    c.expect_haggling()


@scenario("TLS-13", "without C_FIXED_NEWSTYLE, STARTTLS is never acknowledged")
def starttls_without_fixed_newstyle(server: Server) -> None:
    c = server.haggle(flags=wire.NO_ZEROES)
    c.option(wire.OPT_STARTTLS)
    c.expect_refused_or_closed(wire.OPT_STARTTLS)
