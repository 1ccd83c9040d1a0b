"""TLS: what holds without it, where it is offered, where it is required, and inside it: TLS."""

from __future__ import annotations

import contextlib
import ssl

import wire
from client import Client, Closed, Unmet
from suite import UNKNOWN_NAME, Server, go, listing, negotiate, scenario, select

ALL_OPTIONS = (wire.OPT_LIST, wire.OPT_PEEK_EXPORT, wire.OPT_STARTTLS, wire.OPT_INFO, wire.OPT_GO,
               wire.OPT_STRUCTURED_REPLY, wire.OPT_LIST_META_CONTEXT, wire.OPT_SET_META_CONTEXT,
               wire.OPT_EXTENDED_HEADERS, 12, 0x7654321)


@scenario("TLS-01", "without TLS, STARTTLS is refused by POLICY or UNSUP")
def starttls_refused(server: Server) -> None:
    server.without_tls()
    c = server.haggle()
    c.option(wire.OPT_STARTTLS)
    c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ERR_POLICY, wire.REP_ERR_UNSUP)
    c.expect_haggling()


@scenario("TLS-01", "without TLS, no option is ever answered TLS_REQD")
def never_tls_reqd(server: Server) -> None:
    server.without_tls()
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
    c = server.haggle_in_the_clear()
    c.option(wire.OPT_STARTTLS, b"data")
    c.expect_refused(wire.OPT_STARTTLS)
    c.expect_haggling()


@scenario("TLS-13", "without C_FIXED_NEWSTYLE, STARTTLS is never acknowledged")
def starttls_without_fixed_newstyle(server: Server) -> None:
    c = server.haggle(flags=wire.NO_ZEROES)
    c.option(wire.OPT_STARTTLS)
    c.expect_refused_or_closed(wire.OPT_STARTTLS)


# --- where it is required -------------------------------------------------------------------------

@scenario("TLS-02", "where TLS is required, every option but STARTTLS and ABORT gets TLS_REQD")
def required_first(server: Server) -> None:
    c = server.haggle_where_required()
    for option in ALL_OPTIONS:
        if option == wire.OPT_STARTTLS:
            continue
        for name in (server.main.name, UNKNOWN_NAME):
            c.option(option, data_for(option, name))
            c.expect_option_reply(option, wire.REP_ERR_TLS_REQD)
    c.option(wire.OPT_ABORT)
    c.expect_option_reply(wire.OPT_ABORT, wire.REP_ACK)
    c.expect_closed("ABORT was sent")


@scenario("TLS-02", "where TLS is required, EXPORT_NAME in the clear closes the connection")
def required_for_export_name(server: Server) -> None:
    c = server.haggle_where_required()
    c.option(wire.OPT_EXPORT_NAME, server.main.name.encode())
    c.expect_closed("there is no TLS")


@scenario("TLS-02", "where TLS is required, everything is there once it is established")
def required_and_established(server: Server) -> None:
    context = server.context()
    c = server.haggle_where_required()
    c.start_tls(context)
    go(c, server.main.name)
    c.expect_alive()


# --- establishing it ------------------------------------------------------------------------------

@scenario("TLS-04", "behind the ACK to STARTTLS, what is not TLS closes the connection")
def plaintext_behind_ack(server: Server) -> None:
    server.context()
    c = server.haggle_in_the_clear()
    c.option(wire.OPT_STARTTLS)
    c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ACK)
    c.option(wire.OPT_GO, wire.info_data(server.main.name))
    expect_no_answer(c, wire.OPT_GO)


def expect_no_answer(c: Client, option: int) -> None:
    """The connection ends; an alert may come first, but nothing of NBD."""
    with contextlib.suppress(Closed):
        found = c.receive(8, "bytes of an answer")
        while True:
            if wire.OPTION_REPLY_MAGIC.to_bytes(8, "big") in found:
                raise Unmet(f"no answer to option {option}", "one in the clear")
            found = found[1:] + c.receive(1)


@scenario("TLS-11", "what stands behind STARTTLS in the clear is never taken for encrypted")
def injected_plaintext(server: Server) -> None:
    context = server.context()
    c = server.haggle_in_the_clear()
    c.send(wire.option(wire.OPT_STARTTLS) + wire.option(wire.OPT_STRUCTURED_REPLY))
    with contextlib.suppress(Closed):
        c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ACK)
        c.shake(context)
        go(c, server.main.name)
        c.expect_alive()  # a chunk would be a complaint of the client's


@scenario("TLS-05", "a handshake that fails closes its connection, and no other")
def failed_handshake(server: Server) -> None:
    context = server.context()
    other = server.enter()
    for garbage in (b"", b"\x16\x03\x01\xff\xff" + bytes(100), bytes(20000)):
        c = server.haggle_in_the_clear()
        c.option(wire.OPT_STARTTLS)
        c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ACK)
        c.send(garbage)
        if garbage:
            expect_no_answer(c, wire.OPT_STARTTLS)
        c.close()
    trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusts_nobody.check_hostname = False
    c = server.haggle_in_the_clear()
    c.option(wire.OPT_STARTTLS)
    c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ACK)
    with contextlib.suppress(Closed):
        c.shake(trusts_nobody)
        raise Unmet("that the client does not accept the certificate", "that it does")
    other.expect_alive()
    server.haggle_in_the_clear().start_tls(context)


@scenario("TLS-12", "TLS 1.2 and 1.3 are spoken, and nothing older")
def versions(server: Server) -> None:
    context = server.context()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        c = server.haggle_in_the_clear()
        c.start_tls(context)
        go(c, server.main.name)
        c.expect_alive()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    c = server.haggle_in_the_clear()
    with contextlib.suppress(Closed):
        c.start_tls(old)
        raise Unmet("nothing older than TLS 1.2", str(c.tls_version()))


# --- where it is offered --------------------------------------------------------------------------

@scenario("TLS-08", "an export that requires TLS gets TLS_REQD in the clear, and is there inside")
def export_requires_tls(server: Server) -> None:
    secret = server.export("tls-only")
    c = server.haggle_in_the_clear()
    for option in (wire.OPT_INFO, wire.OPT_GO):
        c.option(option, wire.info_data(secret.name))
        if c.expect_option_reply(option, wire.REP_ERR_TLS_REQD):
            raise Unmet("TLS_REQD alone", "INFO before it")
    c.start_tls(server.context())
    go(c, secret.name)
    c.expect_alive()
    c = server.haggle_in_the_clear()
    c.option(wire.OPT_EXPORT_NAME, secret.name.encode())
    c.expect_closed("the export requires TLS")


@scenario("TLS-08", "other options and exports are served in the clear where TLS is offered")
def others_in_the_clear(server: Server) -> None:
    server.context()
    c = server.haggle_in_the_clear()
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    c.structured = True
    select(c, server.main.name, ["base:allocation"])
    go(c, server.main.name)
    c.expect_alive()


@scenario("OP-10", "LIST leaves out in the clear what requires TLS, and names it inside")
def list_without_tls(server: Server) -> None:
    secret = server.export("tls-only")
    c = server.haggle_in_the_clear()
    if secret.name in listing(c):
        raise Unmet(f"a list without {secret.name}", "one with it")
    c.start_tls(server.context())
    if secret.name not in listing(c):
        raise Unmet(f"a list with {secret.name}", "one without it")


@scenario("TLS-09", "in the clear, an export that requires TLS looks like one that is not there")
def no_enumeration(server: Server) -> None:
    secret = server.export("tls-only")
    answers = []
    for name in (secret.name, UNKNOWN_NAME):
        c = server.haggle_in_the_clear()
        negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
        told = [c.ask_option(option, data_for(option, name))
                for option in (wire.OPT_INFO, wire.OPT_GO, wire.OPT_LIST_META_CONTEXT,
                               wire.OPT_SET_META_CONTEXT)]
        answers.append(told)
    if answers[0] != answers[1]:
        raise Unmet("the same answers for both names", f"{answers[0]} and {answers[1]}")
    if any(reply.kind == wire.REP_ERR_TLS_REQD for reply in answers[0][2] + answers[0][3]):
        raise Unmet("UNKNOWN for metadata contexts", "TLS_REQD")


# --- inside it ------------------------------------------------------------------------------------

@scenario("TLS-06", "STARTTLS inside TLS gets INVALID")
def starttls_again(server: Server) -> None:
    server.context()
    c = server.haggle()
    c.option(wire.OPT_STARTTLS)
    c.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ERR_INVALID)
    c.expect_haggling()


@scenario("TLS-07", "inside TLS no option is ever answered TLS_REQD")
def never_inside(server: Server) -> None:
    server.context()
    for option in ALL_OPTIONS:
        final = server.haggle().ask_option(option, data_for(option, UNKNOWN_NAME))[-1]
        if final.kind == wire.REP_ERR_TLS_REQD:
            raise Unmet("anything but TLS_REQD", str(final))


@scenario("TLS-10", "STARTTLS forgets that structured replies were agreed on")
def forgets_structured(server: Server) -> None:
    context = server.context()
    c = server.haggle_in_the_clear()
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    c.start_tls(context)
    go(c, server.main.name)
    c.expect_alive()  # a chunk would be a complaint of the client's


@scenario("TLS-10", "STARTTLS forgets that extended headers were agreed on")
def forgets_extended(server: Server) -> None:
    context = server.context()
    c = server.haggle_in_the_clear()
    negotiate(c, wire.OPT_EXTENDED_HEADERS, "extended-headers")
    c.start_tls(context)
    go(c, server.main.name)
    c.expect_alive()


@scenario("TLS-10", "STARTTLS forgets which contexts were selected")
def forgets_contexts(server: Server) -> None:
    context = server.context()
    c = server.haggle_in_the_clear()
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    select(c, server.main.name, ["base:allocation"])
    c.start_tls(context)
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    c.structured = True
    go(c, server.main.name)
    c.expect(wire.EINVAL, wire.CMD_BLOCK_STATUS, 0, 65536)


@scenario("MC-11", "contexts that were selected in the clear are selected anew inside TLS")
def contexts_anew(server: Server) -> None:
    context = server.context()
    c = server.haggle_in_the_clear()
    negotiate(c, wire.OPT_STRUCTURED_REPLY, "structured-replies")
    select(c, server.main.name, ["base:allocation"])
    c.start_tls(context)
    c.option(wire.OPT_SET_META_CONTEXT, wire.meta_data(server.main.name, ["base:allocation"]))
    c.expect_refused(wire.OPT_SET_META_CONTEXT)  # structured replies were forgotten too


@scenario("TLS-15", "the server ends TLS with close_notify")
def close_notify(server: Server) -> None:
    server.context()
    c = server.haggle()
    c.option(wire.OPT_ABORT)
    c.expect_option_reply(wire.OPT_ABORT, wire.REP_ACK)
    c.expect_tls_closed()
    c = server.enter()
    c.begin(wire.CMD_DISC)
    c.expect_tls_closed()
