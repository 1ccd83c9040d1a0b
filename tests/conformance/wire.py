"""The bytes of the NBD protocol: its numbers, how messages are put together and taken apart.

Nothing here does I/O, and everything can be made wrong on purpose: magics and lengths are
arguments like any others.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass
from typing import Iterable

GREETING_MAGIC = 0x4E42444D41474943  # "NBDMAGIC"
OPTION_MAGIC = 0x49484156454F5054  # "IHAVEOPT"
OLDSTYLE_MAGIC = 0x0000420281861253
OPTION_REPLY_MAGIC = 0x0003E889045565A9
REQUEST_MAGIC = 0x25609513
SIMPLE_REPLY_MAGIC = 0x67446698
STRUCTURED_REPLY_MAGIC = 0x668E33EF
EXTENDED_REQUEST_MAGIC = 0x21E41C71
EXTENDED_REPLY_MAGIC = 0x6E8A278C

FIXED_NEWSTYLE, NO_ZEROES = 1, 2

FLAG_HAS_FLAGS = 1 << 0
FLAG_READ_ONLY = 1 << 1
FLAG_SEND_FLUSH = 1 << 2
FLAG_SEND_FUA = 1 << 3
FLAG_ROTATIONAL = 1 << 4
FLAG_SEND_TRIM = 1 << 5
FLAG_SEND_WRITE_ZEROES = 1 << 6
FLAG_SEND_DF = 1 << 7
FLAG_CAN_MULTI_CONN = 1 << 8
FLAG_SEND_RESIZE = 1 << 9
FLAG_SEND_CACHE = 1 << 10
FLAG_SEND_FAST_ZERO = 1 << 11
FLAG_BLOCK_STATUS_PAYLOAD = 1 << 12

OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST, OPT_PEEK_EXPORT, OPT_STARTTLS = range(1, 6)
OPT_INFO, OPT_GO, OPT_STRUCTURED_REPLY = range(6, 9)
OPT_LIST_META_CONTEXT, OPT_SET_META_CONTEXT, OPT_EXTENDED_HEADERS = range(9, 12)

REP_ACK, REP_SERVER, REP_INFO, REP_META_CONTEXT = range(1, 5)
REP_ERROR_BIT = 1 << 31
(REP_ERR_UNSUP, REP_ERR_POLICY, REP_ERR_INVALID, REP_ERR_PLATFORM, REP_ERR_TLS_REQD,
 REP_ERR_UNKNOWN, REP_ERR_SHUTDOWN, REP_ERR_BLOCK_SIZE_REQD, REP_ERR_TOO_BIG,
 REP_ERR_EXT_HEADER_REQD) = range(REP_ERROR_BIT + 1, REP_ERROR_BIT + 11)
REPLY_NAMES = {
    REP_ACK: "ACK", REP_SERVER: "SERVER", REP_INFO: "INFO", REP_META_CONTEXT: "META_CONTEXT",
    REP_ERR_UNSUP: "UNSUP", REP_ERR_POLICY: "POLICY", REP_ERR_INVALID: "INVALID",
    REP_ERR_PLATFORM: "PLATFORM", REP_ERR_TLS_REQD: "TLS_REQD", REP_ERR_UNKNOWN: "UNKNOWN",
    REP_ERR_SHUTDOWN: "SHUTDOWN", REP_ERR_BLOCK_SIZE_REQD: "BLOCK_SIZE_REQD",
    REP_ERR_TOO_BIG: "TOO_BIG", REP_ERR_EXT_HEADER_REQD: "EXT_HEADER_REQD",
}

INFO_EXPORT, INFO_NAME, INFO_DESCRIPTION, INFO_BLOCK_SIZE = range(4)

(CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM, CMD_CACHE, CMD_WRITE_ZEROES,
 CMD_BLOCK_STATUS, CMD_RESIZE) = range(9)
COMMAND_NAMES = ("READ", "WRITE", "DISC", "FLUSH", "TRIM", "CACHE", "WRITE_ZEROES",
                 "BLOCK_STATUS", "RESIZE")
CMD_FLAG_FUA = 1 << 0
CMD_FLAG_NO_HOLE = 1 << 1
CMD_FLAG_DF = 1 << 2
CMD_FLAG_REQ_ONE = 1 << 3
CMD_FLAG_FAST_ZERO = 1 << 4
CMD_FLAG_PAYLOAD_LEN = 1 << 5

CHUNK_NONE, CHUNK_OFFSET_DATA, CHUNK_OFFSET_HOLE = range(3)
CHUNK_BLOCK_STATUS, CHUNK_BLOCK_STATUS_EXT = 5, 6
CHUNK_ERROR_BIT = 1 << 15
CHUNK_ERROR, CHUNK_ERROR_OFFSET = CHUNK_ERROR_BIT + 1, CHUNK_ERROR_BIT + 2
REPLY_FLAG_DONE = 1
STATE_HOLE, STATE_ZERO = 1, 2

EPERM, EIO, ENOMEM, EINVAL, ENOSPC = 1, 5, 12, 22, 28
EOVERFLOW, ENOTSUP, ESHUTDOWN = 75, 95, 108
ERRORS = (EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN)

SECTOR = 512  # what requests are multiples of where they can be; `run` may set another
MAX_STRING = 4096
DEFAULT_MAX_PAYLOAD = 1 << 25
MAX_DESCRIPTORS = 1 << 20
MAX_DF_READ = 65536


class Malformed(Exception):
    """A message of the server does not have the form that the protocol gives it."""


def error_name(number: int) -> str:
    """What to call an error of a reply."""
    if number == 0:
        return "success"
    names = {ENOTSUP: "ENOTSUP", ESHUTDOWN: "ESHUTDOWN"}
    return names.get(number) or errno.errorcode.get(number, f"error {number}")


def reply_name(number: int) -> str:
    """What to call the type of an option reply."""
    return REPLY_NAMES.get(number, f"reply type {number:#x}")


def option(number: int, data: bytes = b"", *, length: int | None = None,
           magic: int = OPTION_MAGIC) -> bytes:
    """An option of the haggling; `length` is what its header claims."""
    claimed = len(data) if length is None else length
    return struct.pack(">QII", magic, number, claimed) + data


def text(value: bytes | str, *, length: int | None = None) -> bytes:
    """A string behind its 32-bit length."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(raw) if length is None else length) + raw


def info_data(name: bytes | str, wanted: Iterable[int] = (), *, count: int | None = None) -> bytes:
    """The data of INFO and GO."""
    kinds = tuple(wanted)
    claimed = len(kinds) if count is None else count
    return text(name) + struct.pack(f">H{len(kinds)}H", claimed, *kinds)


def meta_data(name: bytes | str, queries: Iterable[bytes | str] = (), *,
              count: int | None = None) -> bytes:
    """The data of LIST_META_CONTEXT and SET_META_CONTEXT."""
    asked = [text(query) for query in queries]
    claimed = len(asked) if count is None else count
    return text(name) + struct.pack(">I", claimed) + b"".join(asked)


def compact_request(command: int, cookie: int, offset: int, length: int, flags: int = 0,
                    magic: int = REQUEST_MAGIC) -> bytes:
    """The 28 bytes of a request."""
    return struct.pack(">IHHQQI", magic, flags, command, cookie, offset, length)


def extended_request(command: int, cookie: int, offset: int, length: int, flags: int = 0,
                     magic: int = EXTENDED_REQUEST_MAGIC) -> bytes:
    """The 32 bytes of a request behind EXTENDED_HEADERS."""
    return struct.pack(">IHHQQQ", magic, flags, command, cookie, offset, length)


@dataclass(frozen=True)
class OptionReply:
    """A reply of the haggling."""

    option: int
    kind: int
    data: bytes

    @property
    def final(self) -> bool:
        """Whether no further reply to the same option may follow."""
        return self.kind == REP_ACK or bool(self.kind & REP_ERROR_BIT)

    @property
    def refused(self) -> bool:
        """Whether it is an error."""
        return bool(self.kind & REP_ERROR_BIT)

    def __str__(self) -> str:
        return f"{reply_name(self.kind)} to option {self.option:#x}"


@dataclass(frozen=True)
class BlockSize:
    """The size constraints of an export, in bytes."""

    minimum: int = 1
    preferred: int = 4096
    maximum: int = DEFAULT_MAX_PAYLOAD


@dataclass(frozen=True)
class Chunk:
    """A chunk of a structured or extended reply."""

    flags: int
    kind: int
    cookie: int
    payload: bytes
    offset: int | None = None  # of the request, in extended headers

    @property
    def done(self) -> bool:
        """Whether it is the last one of its reply."""
        return bool(self.flags & REPLY_FLAG_DONE)

    @property
    def is_error(self) -> bool:
        """Whether it belongs to the error chunks."""
        return bool(self.kind & CHUNK_ERROR_BIT)

    def content(self) -> tuple[int, int, bytes | None]:
        """Offset, length and bytes of a content chunk; no bytes for a hole."""
        if self.kind == CHUNK_OFFSET_HOLE:
            if len(self.payload) != 12:
                raise Malformed(f"ST-02: OFFSET_HOLE of {len(self.payload)} bytes, want 12")
            offset, length = struct.unpack(">QI", self.payload)
            data = None
        else:
            if len(self.payload) < 9:
                raise Malformed(f"RD-04: OFFSET_DATA of {len(self.payload)} bytes, want 9 or more")
            offset, data = struct.unpack(">Q", self.payload[:8])[0], self.payload[8:]
            length = len(data)
        if length == 0:
            raise Malformed("RD-04: a content chunk of no bytes")
        return offset, length, data

    def error(self) -> tuple[int, bytes, int | None]:
        """Number, text and offset of an error chunk."""
        if len(self.payload) < 6:
            raise Malformed(f"ST-03: an error chunk of {len(self.payload)} bytes, want 6 or more")
        number, length = struct.unpack(">IH", self.payload[:6])
        message, rest = self.payload[6:6 + length], self.payload[6 + length:]
        if len(message) != length or length > MAX_STRING:
            raise Malformed(f"ST-03: an error text of {length} bytes in {len(self.payload)}")
        if number == 0:
            raise Malformed("ST-03: an error chunk whose error is 0")
        if self.kind == CHUNK_ERROR_OFFSET and len(rest) != 8:
            raise Malformed("ST-03: ERROR_OFFSET without its offset")
        if self.kind == CHUNK_ERROR and rest:
            raise Malformed("ST-03: ERROR with bytes behind its text")
        return number, message, struct.unpack(">Q", rest)[0] if len(rest) == 8 else None

    def descriptors(self) -> tuple[int, list[tuple[int, int]]]:
        """Context and descriptors (length, status) of a status chunk."""
        if self.kind == CHUNK_BLOCK_STATUS_EXT:
            head, form = 8, ">QQ"
        else:
            head, form = 4, ">II"
        size = struct.calcsize(form)
        if len(self.payload) <= head or (len(self.payload) - head) % size:
            raise Malformed(f"BS-02: a status chunk of {len(self.payload)} bytes")
        found = list(struct.iter_unpack(form, self.payload[head:]))
        if head == 8 and struct.unpack(">I", self.payload[4:8])[0] != len(found):
            raise Malformed(f"XH-04: a descriptor count that is not {len(found)}")
        return struct.unpack(">I", self.payload[:4])[0], found
