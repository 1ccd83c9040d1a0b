"""STRUCTURED_REPLY: SR."""

from __future__ import annotations

import wire
from suite import Server, go, negotiate, scenario


@scenario("SR-01", "STRUCTURED_REPLY with data gets INVALID, and nothing is enabled")
def with_data(server: Server) -> None:
    negotiate(server.haggle(), wire.OPT_STRUCTURED_REPLY, "structured-replies")
    c = server.haggle()
    c.option(wire.OPT_STRUCTURED_REPLY, b"data")
    c.expect_option_reply(wire.OPT_STRUCTURED_REPLY, wire.REP_ERR_INVALID)
    go(c, server.main.name)
    c.expect_alive()  # a chunk would be a complaint of the client's


@scenario("SR-01", "READ is answered in chunks once STRUCTURED_REPLY was acknowledged", level="M")
def enabled(server: Server) -> None:
    server.enter(structured=True).expect_alive()


@scenario("SR-02", "behind EXTENDED_HEADERS, STRUCTURED_REPLY gets EXT_HEADER_REQD")
def behind_extended_headers(server: Server) -> None:
    c = server.haggle()
    negotiate(c, wire.OPT_EXTENDED_HEADERS, "extended-headers")
    c.option(wire.OPT_STRUCTURED_REPLY)
    c.expect_option_reply(wire.OPT_STRUCTURED_REPLY, wire.REP_ERR_EXT_HEADER_REQD)
    go(c, server.main.name)
    c.extended = True
    c.expect_alive()
