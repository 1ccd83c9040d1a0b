"""Replies to requests: put together from what arrives, and checked against the request.

A complaint begins with the rule that was broken, since these rules hold in every scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import wire
from wire import Malformed


@dataclass(frozen=True)
class Request:
    """A request as it was sent."""

    command: int
    cookie: int
    offset: int
    length: int
    flags: int = 0

    def __str__(self) -> str:
        known = self.command < len(wire.COMMAND_NAMES)
        name = wire.COMMAND_NAMES[self.command] if known else f"command {self.command}"
        flags = f" flags {self.flags:#x}" if self.flags else ""
        return f"{name} {self.offset}+{self.length}{flags}"


@dataclass
class Reply:
    """The reply to one request, as far as it has come."""

    request: Request
    complete: bool = False
    simple: bool = False
    error: int = 0
    message: bytes = b""
    data: bytes | bytearray = b""
    chunks: list[wire.Chunk] = field(default_factory=list)
    status: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    extents: list[tuple[int, int]] = field(default_factory=list)

    @property
    def contents(self) -> list[wire.Chunk]:
        """The content chunks."""
        return [chunk for chunk in self.chunks
                if chunk.kind in (wire.CHUNK_OFFSET_DATA, wire.CHUNK_OFFSET_HOLE)]

    @property
    def holes(self) -> int:
        """How many content chunks are holes."""
        return sum(chunk.kind == wire.CHUNK_OFFSET_HOLE for chunk in self.chunks)

    def take_simple(self, error: int, data: bytes | None) -> None:
        """Takes a simple reply; it is all there is."""
        if self.chunks:
            raise Malformed("ST-01: a simple reply behind chunks of the same reply")
        self.simple = self.complete = True
        self.error = error
        self.data = data or b""

    def take_chunk(self, chunk: wire.Chunk) -> None:
        """Takes the next chunk."""
        if chunk.flags & ~wire.REPLY_FLAG_DONE:
            raise Malformed(f"ST-03: a chunk with the flags {chunk.flags:#x}")
        if chunk.offset is not None and chunk.offset != self.request.offset:
            raise Malformed(f"XH-03: a chunk with the offset {chunk.offset}, "
                            f"the request has {self.request.offset}")
        self.chunks.append(chunk)
        self.complete = chunk.done
        if chunk.is_error:
            self._take_error(chunk)
        elif chunk.kind == wire.CHUNK_NONE:
            if not chunk.done or chunk.payload:
                raise Malformed("ST-02: a NONE chunk that has a payload, or is not the last")
        elif chunk.kind in (wire.CHUNK_OFFSET_DATA, wire.CHUNK_OFFSET_HOLE):
            self._take_content(chunk)
        elif chunk.kind in (wire.CHUNK_BLOCK_STATUS, wire.CHUNK_BLOCK_STATUS_EXT):
            self._take_status(chunk)
        else:
            raise Malformed(f"ST-02: a chunk of the unknown type {chunk.kind:#x}")

    def _take_error(self, chunk: wire.Chunk) -> None:
        if chunk.kind not in (wire.CHUNK_ERROR, wire.CHUNK_ERROR_OFFSET):
            raise Malformed(f"ST-03: an error chunk of the unknown type {chunk.kind:#x}")
        number, message, offset = chunk.error()
        if chunk.kind == wire.CHUNK_ERROR and any(
                other.kind == wire.CHUNK_ERROR for other in self.chunks[:-1]):
            raise Malformed("ST-03: ERROR twice in one reply")
        if offset is not None:
            self._check_inside(offset, 0)
        self.error = self.error or number
        self.message = self.message or message

    def _take_content(self, chunk: wire.Chunk) -> None:
        if self.request.command != wire.CMD_READ:
            raise Malformed(f"ST-02: a content chunk in the reply to {self.request}")
        offset, length, data = chunk.content()
        self._check_inside(offset, length)
        for other, other_length in self.extents:
            if offset < other + other_length and other < offset + length:
                raise Malformed(f"RD-04: content chunks that overlap at {offset}")
        self.extents.append((offset, length))
        if not self.data:
            self.data = bytearray(self.request.length)
        start = offset - self.request.offset
        self.data[start:start + length] = bytes(length) if data is None else data

    def _take_status(self, chunk: wire.Chunk) -> None:
        if self.request.command != wire.CMD_BLOCK_STATUS:
            raise Malformed(f"ST-02: a status chunk in the reply to {self.request}")
        wanted = wire.CHUNK_BLOCK_STATUS if chunk.offset is None else wire.CHUNK_BLOCK_STATUS_EXT
        if chunk.kind != wanted:
            raise Malformed(f"XH-04: a status chunk of the type {chunk.kind}, want {wanted}")
        context, found = chunk.descriptors()
        if context in self.status:
            raise Malformed(f"BS-02: two status chunks for the context {context}")
        if any(length == 0 for length, _ in found):
            raise Malformed("BS-02: a descriptor of no bytes")
        self.status[context] = found

    def _check_inside(self, offset: int, length: int) -> None:
        start, end = self.request.offset, self.request.offset + self.request.length
        if offset < start or offset + length > end:
            raise Malformed(f"RD-04: a chunk about {offset}+{length} in the reply to "
                            f"{self.request}")

    def check(self) -> None:
        """What can be told only of the whole reply."""
        if self.error and self.error not in wire.ERRORS:
            raise Malformed(f"RQ-14: the error {self.error}, which the protocol does not have")
        if self.simple or self.request.command != wire.CMD_READ:
            return
        told = sum(length for _, length in self.extents)
        if not self.error and told != self.request.length:
            raise Malformed(f"RD-04: {told} bytes in the successful reply to {self.request}")
        if self.request.flags & wire.CMD_FLAG_DF and len(self.contents) > 1:
            raise Malformed(f"RD-05: {len(self.contents)} content chunks in spite of DF")
