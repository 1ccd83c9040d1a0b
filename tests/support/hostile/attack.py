"""What the hostile clients share: raw connections, a well-behaved client to stand beside them, and
what /proc tells of the server. Standard library only."""

from __future__ import annotations

import os
import pathlib
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Callable

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from raw_client import Address, Client, Export, Server, enter  # noqa: E402, F401
import wire  # noqa: E402, F401

PATIENCE_S = 60  # for anything that must come
KIB, MIB = 1 << 10, 1 << 20
BLOCK = 4096
EACH_CONNECTION = 2 * MIB  # of memory, at most, besides what limits.memory is about


# --- connections --------------------------------------------------------------------------------

@dataclass(frozen=True)
class AddressFrom(Address):
    """An address that is connected to from one of this host's own choosing."""

    source: str = "127.0.0.1"

    def connect(self, timeout: float) -> socket.socket:
        return socket.create_connection(self.place, timeout, (self.source, 0))


def enter_from(source: str, uri: str) -> Client:
    """A connection in transmission, from that address of this host."""
    address = Address.parse(uri)
    there = AddressFrom(address.place, address.export, source)
    return Server(Export(address.export or "", 0, there), PATIENCE_S).enter()


def connect(uri: str) -> Client:
    """A connection on which nothing was said yet."""
    return Client(Address.parse(uri), PATIENCE_S)


def link_of(client: Client) -> socket.socket:
    """Its socket, to be cruel to."""
    return client._link


def reset(client: Client) -> None:
    """Leaves at once: with RST where that exists, and whatever is unread or unsent is lost."""
    link_of(client).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("@ii", 1, 0))
    client.close()


def half_close(client: Client) -> None:
    """Sends no more, and goes on listening."""
    link_of(client).shutdown(socket.SHUT_WR)


def push(client: Client, data: bytes, at: int = 0) -> int:
    """Sends what the socket takes now, reading nothing: how far that went, or -1 if the server has
    closed."""
    link, view = link_of(client), memoryview(data)
    link.setblocking(False)
    try:
        while at < len(data):
            at += link.send(view[at:at + MIB])
    except BlockingIOError:
        pass
    except ConnectionError:
        return -1
    finally:
        link.settimeout(PATIENCE_S)
    return at


def push_until_stuck(client: Client, data: bytes) -> int:
    """The same until the server takes nothing for a moment."""
    at, link = 0, link_of(client)
    while 0 <= at < len(data) and select.select([], [link], [], 0.25)[1]:
        at = push(client, data, at)
    return at


def drain(client: Client) -> int:
    """Reads until the server closes: how many bytes."""
    link, room, got = link_of(client), bytearray(MIB), 0
    try:
        while part := link.recv_into(room):
            got += part
    except ConnectionError:
        pass
    return got


# --- a client that does everything right --------------------------------------------------------

def content(number: int) -> bytes:
    """The block of that number."""
    return struct.pack(">Q", number * 0x9E3779B97F4A7C15 % (1 << 64)) * (BLOCK // 8)


def behave(uri: str, requests: int, first: int = 0) -> None:
    """So many requests, one after the other, of which half write and half read what was written."""
    client = enter(uri)
    for number in range(first, first + requests // 2):
        at = number * BLOCK % client.size
        client.expect_ok(wire.CMD_WRITE, at, payload=content(number))
        client.expect_data(at, content(number))
    client.disconnect()


# --- the server's process -----------------------------------------------------------------------

def descriptors(pid: int, kind: str = "socket") -> int:
    """How many sockets, or pipe ends, the server has."""
    folder, found = f"/proc/{pid}/fd", 0
    for name in os.listdir(folder):
        try:
            found += os.readlink(f"{folder}/{name}").startswith(f"{kind}:")
        except FileNotFoundError:
            pass
    return found


def memory_kib(pid: int, field: str = "VmHWM") -> int:
    """The peak of what it has resident, or another line of its status."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field))


def sanitized(pid: int) -> bool:
    """Whether it keeps what was freed, and more."""
    return "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def expect_memory(pid: int, most: int, what: str) -> None:
    """Its peak is at most so many bytes; with ASan, not beyond all measure."""
    if sanitized(pid):
        most = 4 * most + (512 << 20)
    found = memory_kib(pid) * KIB
    print(f"{what}: peak {found // MIB} MiB of at most {most // MIB} MiB")
    assert found <= most, f"{what}: want at most {most} bytes, found {found}"


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"want {what} within {PATIENCE_S} s"
        time.sleep(0.01)


def expect_all_gone(pid: int, base: int) -> None:
    """The server has as many sockets again as before."""
    eventually(f"{base} sockets", lambda: descriptors(pid) == base)
