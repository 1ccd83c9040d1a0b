"""A blocking NBD client that trusts nothing: what is not as the protocol has it, it says.

It waits at most `timeout` seconds for anything, so that a server that hangs fails a scenario
instead of stopping the suite. What is sent can be wrong in every way; what is received is checked.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import urllib.parse
from dataclasses import dataclass
from typing import Iterable, Sequence

import wire
from replies import Reply, Request
from wire import Malformed

LONGEST_OPTION_REPLY = 1 << 20
LONGEST_CHUNK = (1 << 28) + 64  # far more than any scenario asks for
SHOWN = 64  # bytes of a message in a transcript


class Unmet(Exception):
    """An expectation that was not met."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(f"want {wanted}, found {found}")


class Closed(Unmet):
    """The server has closed the connection where something was to come."""


@dataclass(frozen=True)
class Address:
    """Where a server listens: a path for a Unix socket, or a host and a port."""

    place: str | tuple[str, int]
    export: str | None = None

    @staticmethod
    def parse(text: str) -> Address:
        """Takes a path, HOST:PORT, nbd://HOST:PORT/NAME or nbd+unix:///NAME?socket=PATH."""
        if text.startswith("nbd+unix://"):
            parts = urllib.parse.urlsplit(text)
            path = urllib.parse.parse_qs(parts.query)["socket"][0]
            return Address(path, urllib.parse.unquote(parts.path.removeprefix("/")))
        if text.startswith("nbd://"):
            parts = urllib.parse.urlsplit(text)
            return Address((parts.hostname or "localhost", parts.port or 10809),
                           urllib.parse.unquote(parts.path.removeprefix("/")))
        if "/" in text or ":" not in text:
            return Address(text)
        host, _, port = text.rpartition(":")
        return Address((host.strip("[]"), int(port)))

    def connect(self, timeout: float) -> socket.socket:
        """A connected socket that sends what it is given at once."""
        if isinstance(self.place, str):
            return connect_unix(self.place, timeout)
        link = socket.create_connection(self.place, timeout)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link


class Client:
    """One connection. `structured` and `extended` are what the haggling has arrived at."""

    def __init__(self, address: Address, timeout: float) -> None:
        self.timeout = timeout
        self.structured = False
        self.extended = False
        self.flags = 0  # of the export, once it is chosen
        self.size = 0
        self.block_size: wire.BlockSize | None = None  # if the server has told
        self.contexts: dict[str, int] = {}
        self.transcript: list[str] = []
        self._cookies = itertools.count(0x0C00C1E000000001)
        self._link = address.connect(timeout)

    # --- bytes ----------------------------------------------------------------------------------

    def _note(self, direction: str, data: bytes) -> None:
        more = f" ... {len(data)} bytes" if len(data) > SHOWN else ""
        self.transcript.append(f"{direction} {data[:SHOWN].hex(' ', 4)}{more}")

    def send(self, data: bytes) -> None:
        """Sends the bytes. A server that has closed is noticed by the next receive."""
        self._note(">", data)
        try:
            self._link.sendall(data)
        except socket.timeout:
            raise Unmet(f"that {len(data)} bytes are taken",
                        f"nothing taken for {self.timeout:g} s") from None
        except (ConnectionError, ssl.SSLError):
            self.transcript.append("> (the server has closed)")

    def send_slowly(self, data: bytes) -> None:
        """Sends each byte by itself."""
        for at in range(len(data)):
            self.send(data[at:at + 1])

    def receive(self, length: int, what: str = "bytes") -> bytes:
        """Receives exactly so many bytes."""
        buffer = bytearray(length)
        got = 0
        while got < length:
            part = self._receive_into(memoryview(buffer)[got:], f"{length} {what}", got)
            if part == 0:
                self._note("<", bytes(buffer[:got]))
                raise Closed(f"{length} {what}", f"the connection closed after {got}")
            got += part
        self._note("<", bytes(buffer[:SHOWN + 1]) if length > SHOWN else bytes(buffer))
        return bytes(buffer)

    def _receive_into(self, room: memoryview, wanted: str, got: int) -> int:
        try:
            return self._link.recv_into(room)
        except socket.timeout:
            raise Unmet(wanted, f"{got} and then nothing for {self.timeout:g} s") from None
        except (ConnectionError, ssl.SSLError):
            return 0

    def expect_closed(self, why: str) -> None:
        """The server closes the connection and sends nothing more."""
        room = memoryview(bytearray(SHOWN))
        wanted = f"that the connection closes: {why}"
        got = self._receive_into(room, wanted, 0)
        if got:
            self._note("<", bytes(room[:got]))
            raise Unmet(wanted, f"{got} bytes or more: {bytes(room[:got]).hex(' ', 4)}")
        self.transcript.append("< (closed)")

    def close(self) -> None:
        """Closes the connection without a word."""
        self._link.close()

    # --- haggling -------------------------------------------------------------------------------

    def greeting(self) -> int:
        """Receives the greeting: the handshake flags."""
        magic, second, flags = struct.unpack(">QQH", self.receive(18, "bytes of greeting"))
        if (magic, second) != (wire.GREETING_MAGIC, wire.OPTION_MAGIC):
            raise Malformed(f"HS-01: a greeting of {magic:#x} {second:#x}")
        return flags

    def greet(self, flags: int = wire.FIXED_NEWSTYLE | wire.NO_ZEROES,
              tls: ssl.SSLContext | None = None) -> Client:
        """Receives the greeting and answers with the client's flags; then TLS, if it is given and
        a client with these flags can have it."""
        self.greeting()
        self.send(struct.pack(">I", flags))
        if tls and flags & wire.FIXED_NEWSTYLE:
            self.start_tls(tls)
        return self

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Asks for TLS, and goes on inside it."""
        self.option(wire.OPT_STARTTLS)
        self.expect_option_reply(wire.OPT_STARTTLS, wire.REP_ACK)
        self.shake(context)

    def shake(self, context: ssl.SSLContext) -> None:
        """The TLS handshake alone."""
        try:
            self._link = context.wrap_socket(self._link)
        except (ssl.SSLError, ConnectionError) as why:
            raise Closed("a TLS handshake", str(why)) from None
        self.transcript.append(f"> ({self._link.version()})")

    def tls_version(self) -> str | None:
        """What was agreed on."""
        return self._link.version() if isinstance(self._link, ssl.SSLSocket) else None

    def expect_tls_closed(self) -> None:
        """The server ends TLS with close_notify, and then the connection: an end of file without
        it is an error here."""
        self._link.suppress_ragged_eofs = False
        try:
            found = self._link.read(1)
        except ssl.SSLEOFError:
            raise Unmet("close_notify before the end", "an end without it") from None
        if found:
            raise Unmet("close_notify", "more data")

    def option(self, number: int, data: bytes = b"", length: int | None = None) -> None:
        """Sends an option."""
        self.send(wire.option(number, data, length=length))

    def option_reply(self, number: int) -> wire.OptionReply:
        """Receives one reply, which must be to this option."""
        magic, option, kind, length = struct.unpack(
            ">QIII", self.receive(20, f"bytes of a reply to option {number:#x}"))
        if magic != wire.OPTION_REPLY_MAGIC:
            raise Malformed(f"OP-01: an option reply with the magic {magic:#x}")
        if option != number:
            raise Malformed(f"OP-01: a reply to option {option:#x} instead of {number:#x}")
        if length > LONGEST_OPTION_REPLY:
            raise Malformed(f"OP-01: an option reply of {length} bytes")
        reply = wire.OptionReply(option, kind, self.receive(length, "bytes of its data"))
        check_option_reply(reply)
        return reply

    def option_replies(self, number: int) -> list[wire.OptionReply]:
        """Receives replies up to the final one."""
        found = [self.option_reply(number)]
        while not found[-1].final:
            found.append(self.option_reply(number))
        return found

    def expect_option_reply(self, number: int, *kinds: int) -> list[wire.OptionReply]:
        """The final reply is one of these; returns those before it."""
        *before, final = self.option_replies(number)
        if final.kind not in kinds:
            raise Unmet(" or ".join(map(wire.reply_name, kinds)) + f" to option {number:#x}",
                        wire.reply_name(final.kind))
        return before

    def expect_refused(self, number: int) -> wire.OptionReply:
        """The final reply is an error, whichever."""
        final = self.option_replies(number)[-1]
        if not final.refused:
            raise Unmet(f"an error to option {number:#x}", str(final))
        return final

    def expect_refused_or_closed(self, number: int) -> None:
        """The final reply is an error, or the connection closes instead."""
        with contextlib.suppress(Closed):
            self.expect_refused(number)

    def ask_option(self, number: int, data: bytes = b"") -> list[wire.OptionReply]:
        """Sends an option and receives all replies to it."""
        self.option(number, data)
        return self.option_replies(number)

    def expect_haggling(self) -> None:
        """The next option is parsed and answered: the stream is in step."""
        self.option(0x5EED)
        self.expect_refused(0x5EED)

    # --- transmission ---------------------------------------------------------------------------

    def begin(self, command: int, offset: int = 0, length: int = 0, flags: int = 0, *,
              payload: bytes = b"", cookie: int | None = None) -> Request:
        """Sends a request. With extended headers what has a payload gets its flag."""
        length = len(payload) or length
        if self.extended and payload:
            flags |= wire.CMD_FLAG_PAYLOAD_LEN
        cookie = next(self._cookies) if cookie is None else cookie
        header = wire.extended_request if self.extended else wire.compact_request
        self.send(header(command, cookie, offset, length, flags) + payload)
        return Request(command, cookie, offset, length, flags)

    def finish(self, requests: Sequence[Request]) -> list[Reply]:
        """Receives the replies to all these requests, in whatever order they come."""
        replies = [Reply(request) for request in requests]
        open_replies = list(replies)
        while open_replies:
            self._receive_message(open_replies)
            open_replies = [reply for reply in open_replies if not reply.complete]
        for reply in replies:
            reply.check()
        return replies

    def ask(self, command: int, offset: int = 0, length: int = 0, flags: int = 0, *,
            payload: bytes = b"") -> Reply:
        """Sends a request and receives the reply."""
        return self.finish([self.begin(command, offset, length, flags, payload=payload)])[0]

    def _receive_message(self, replies: list[Reply]) -> None:
        magic = struct.unpack(">I", self.receive(4, "bytes of a reply's magic"))[0]
        if magic == wire.SIMPLE_REPLY_MAGIC:
            self._receive_simple(replies)
        elif magic == wire.STRUCTURED_REPLY_MAGIC:
            if not self.structured or self.extended:
                raise Malformed("ST-01: a structured reply that was not negotiated")
            flags, kind, cookie, length = struct.unpack(">HHQI", self.receive(16))
            self._receive_chunk(replies, flags, kind, cookie, length, None)
        elif magic == wire.EXTENDED_REPLY_MAGIC:
            if not self.extended:
                raise Malformed("ST-01: an extended reply that was not negotiated")
            flags, kind, cookie, offset, length = struct.unpack(">HHQQQ", self.receive(28))
            self._receive_chunk(replies, flags, kind, cookie, length, offset)
        else:
            raise Malformed(f"RD-01: a reply with the magic {magic:#x}")

    def _receive_simple(self, replies: list[Reply]) -> None:
        error, cookie = struct.unpack(">IQ", self.receive(12, "bytes of a simple reply"))
        reply = reply_with(replies, cookie)
        if self.extended:
            raise Malformed("EH-02: a simple reply behind EXTENDED_HEADERS")
        data = None
        if reply.request.command == wire.CMD_READ:
            if self.structured:
                raise Malformed("RD-03: a simple reply to a READ behind STRUCTURED_REPLY")
            data = self.receive(reply.request.length, "bytes of data") if error == 0 else None
        reply.take_simple(error, data)

    def _receive_chunk(self, replies: list[Reply], flags: int, kind: int, cookie: int,
                       length: int, offset: int | None) -> None:
        if length > LONGEST_CHUNK:
            raise Malformed(f"ST-04: a chunk of {length} bytes")
        reply = reply_with(replies, cookie)
        payload = self.receive(length, "bytes of a chunk")
        reply.take_chunk(wire.Chunk(flags, kind, cookie, payload, offset))

    def expect(self, errors: int | Iterable[int], command: int, offset: int = 0, length: int = 0,
               flags: int = 0, *, payload: bytes = b"") -> Reply:
        """The reply to this request has this error, or one of these; 0 is success."""
        wanted = (errors,) if isinstance(errors, int) else tuple(errors)
        reply = self.ask(command, offset, length, flags, payload=payload)
        if reply.error not in wanted:
            raise Unmet(f"{' or '.join(map(wire.error_name, wanted))} to {reply.request}",
                        wire.error_name(reply.error))
        return reply

    def expect_ok(self, command: int, offset: int = 0, length: int = 0, flags: int = 0, *,
                  payload: bytes = b"") -> Reply:
        """The request succeeds."""
        return self.expect(0, command, offset, length, flags, payload=payload)

    def expect_data(self, offset: int, wanted: bytes, flags: int = 0) -> None:
        """READ gives these bytes, if there are any."""
        if not wanted:
            return
        found = self.expect_ok(wire.CMD_READ, offset, len(wanted), flags).data
        if found != wanted:
            at = next(i for i, (a, b) in enumerate(zip(found, wanted)) if a != b)
            raise Unmet(f"{wanted[at:at + 8].hex()} at {offset + at}", found[at:at + 8].hex())

    def expect_alive(self) -> None:
        """The connection is usable: the stream is in step."""
        self.expect_ok(wire.CMD_READ, 0, wire.SECTOR)

    def disconnect(self) -> None:
        """Ends the session as a client should."""
        self.begin(wire.CMD_DISC)
        self.expect_closed("DISC was sent")


def connect_unix(path: str, timeout: float) -> socket.socket:
    """Waits its turn where a socket with a time limit of Python's would fail: when so many wait to
    be accepted already."""
    link = socket.socket(socket.AF_UNIX)
    limit = struct.pack("@ll", int(timeout), int(timeout % 1 * 1e6))
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        link.connect(path)
    except OSError:
        link.close()
        raise
    link.settimeout(timeout)
    return link


def reply_with(replies: list[Reply], cookie: int) -> Reply:
    """The first reply that waits under this cookie."""
    for reply in replies:
        if reply.request.cookie == cookie and not reply.complete:
            return reply
    raise Malformed(f"RQ-12: a reply with the cookie {cookie:#x}, which nobody waits for")


def check_option_reply(reply: wire.OptionReply) -> None:
    """What holds for every option reply."""
    if reply.kind == wire.REP_ACK and reply.data:
        raise Malformed(f"OP-01: ACK with {len(reply.data)} bytes of data")
    if not reply.final and reply.kind not in wire.REPLY_NAMES:
        raise Malformed(f"OP-01: an option reply of the unknown type {reply.kind:#x}")
    if reply.refused:
        if len(reply.data) > wire.MAX_STRING or b"\0" in reply.data:
            raise Malformed("OP-04: an error text that is too long or contains NUL")
        try:
            reply.data.decode()
        except UnicodeDecodeError:
            raise Malformed("OP-04: an error text that is not UTF-8") from None
