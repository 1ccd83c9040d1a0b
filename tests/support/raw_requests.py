"""What a request that fails is told, byte by byte, in each framing; and devices that fail.

For the scripts of requests() in faults.sh.
"""

from __future__ import annotations

import os
import sys

import raw_client
import wire
from client import Client
from wire import CMD_FLAG_FUA as FUA
from wire import CMD_FLUSH as FLUSH
from wire import CMD_READ as READ
from wire import CMD_TRIM as TRIM
from wire import CMD_WRITE as WRITE
from wire import CMD_WRITE_ZEROES as ZEROES
from wire import EINVAL, EIO, ENOSPC

__all__ = ["EINVAL", "EIO", "ENOSPC", "FLUSH", "FRAMINGS", "FUA", "K", "M", "READ", "TRIM", "WRITE",
           "ZEROES", "check_failed", "check_ok", "enter", "fail", "mend", "os", "wire"]

K, M = 1 << 10, 1 << 20
FRAMINGS = ("simple", "structured", "extended")


def enter(export: str = "", framing: str = "structured") -> Client:
    """A connection in transmission."""
    return raw_client.enter(f"nbd+unix:///{export}?socket={sys.argv[1]}",
                            structured=framing == "structured", extended=framing == "extended")


def check_failed(client: Client, error: int, segment: int | None, at: int | None, command: int,
                 offset: int = 0, length: int = 0, flags: int = 0, payload: bytes = b"") -> None:
    """The request fails: with this error, and where there are chunks, in this segment and at this
    byte, without a path of this host. A FLUSH has neither."""
    reply = client.expect(error, command, offset, length, flags, payload=payload)
    if not client.structured and not client.extended:
        return
    if not client.extended and command != READ and reply.simple:
        raise AssertionError(f"{reply.request}: an error without its text")
    _, text, found = reply.chunks[-1].error()
    assert found == at, f"{reply.request}: want the error at {at}, found it at {found}"
    begin = "flush: " if segment is None else f"segment {segment}: "
    assert text.decode().startswith(begin), f"{reply.request}: {text!r}"
    assert b"/" not in text.replace(b"Input/output", b""), f"{reply.request}: {text!r}"


def check_ok(client: Client, data: bytes, offset: int) -> None:
    """These bytes can be read."""
    client.expect_data(offset, data)


def fail(device: str, what: str) -> None:
    """From now on "reads" or "writes" of a faulty_file() fail, also those of cached pages."""
    file = os.open(f"{device}/nbd", os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
    open(f"{device}.no-{what}", "w", encoding="ascii").close()


def mend(device: str, what: str) -> None:
    """They no longer do."""
    os.unlink(f"{device}.no-{what}")
