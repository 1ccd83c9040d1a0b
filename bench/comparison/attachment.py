"""Clients that are attached to an export and ask for nothing."""

import contextlib
import socket
import struct

from .processes import MeasureError

OPTION_MAGIC = 0x49484156454F5054
OPTION_GO = 7
REPLY_ACK = 1
REPLY_INFO = 3
SECONDS_MAX = 120


def _receive(client, count):
    parts = b""
    while len(parts) < count:
        part = client.recv(count - len(parts))
        if not part:
            raise MeasureError("an idle client: the server closed the connection")
        parts += part
    return parts


def _attach(path, export):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(SECONDS_MAX)
    client.connect(path)
    flags = struct.unpack(">8x8xH", _receive(client, 18))[0]
    name = export.encode()
    data = struct.pack(">I", len(name)) + name + struct.pack(">H", 0)
    client.sendall(struct.pack(">I", flags & 3)
                   + struct.pack(">QII", OPTION_MAGIC, OPTION_GO, len(data)) + data)
    kind = REPLY_INFO
    while kind == REPLY_INFO:
        kind, length = struct.unpack(">8x4xII", _receive(client, 20))
        _receive(client, length)
    if kind != REPLY_ACK:
        raise MeasureError(f"an idle client: export {export!r} refused ({kind:#x})")
    return client


@contextlib.contextmanager
def idle_clients(path, export, count):
    """So many clients in their transmission phase, until the end of the block."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(_attach(path, export))
        yield
