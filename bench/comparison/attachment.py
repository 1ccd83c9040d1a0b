"""Clients that are attached to an export and ask for nothing, or for little."""

import contextlib
import select
import socket
import struct

from .processes import MeasureError

OPTION_MAGIC = 0x49484156454F5054
OPTION_GO = 7
REPLY_ACK = 1
REPLY_INFO = 3
REQUEST_MAGIC = 0x25609513
SIMPLE_REPLY_MAGIC = 0x67446698
COMMAND_READ = 0
COMMAND_WRITE = 1
COMMAND_DISCONNECT = 2
BLOCK = 4096
SECONDS_MAX = 120


def receive(client, count):
    parts = b""
    while len(parts) < count:
        part = client.recv(count - len(parts))
        if not part:
            raise MeasureError("a client: the server closed the connection")
        parts += part
    return parts


def attach(path, export):
    """A socket in its transmission phase, with simple replies."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(SECONDS_MAX)
    client.connect(path)
    flags = struct.unpack(">8x8xH", receive(client, 18))[0]
    name = export.encode()
    data = struct.pack(">I", len(name)) + name + struct.pack(">H", 0)
    client.sendall(struct.pack(">I", flags & 3)
                   + struct.pack(">QII", OPTION_MAGIC, OPTION_GO, len(data)) + data)
    kind = REPLY_INFO
    while kind == REPLY_INFO:
        kind, length = struct.unpack(">8x4xII", receive(client, 20))
        receive(client, length)
    if kind != REPLY_ACK:
        raise MeasureError(f"a client: export {export!r} refused ({kind:#x})")
    return client


def encode_request(command, cookie, offset):
    """For one block, or the end."""
    length = 0 if command == COMMAND_DISCONNECT else BLOCK
    payload = b"x" * BLOCK if command == COMMAND_WRITE else b""
    return struct.pack(">IHHQQI", REQUEST_MAGIC, 0, command, cookie, offset, length) + payload


def receive_reply(client, command):
    """The cookie of the next reply."""
    magic, error, cookie = struct.unpack(">IIQ", receive(client, 16))
    if magic != SIMPLE_REPLY_MAGIC or error != 0:
        raise MeasureError(f"a reply: want success, found magic {magic:#x}, error {error}")
    if command == COMMAND_READ:
        receive(client, BLOCK)
    return cookie


@contextlib.contextmanager
def idle_clients(path, export, count):
    """So many clients in their transmission phase, until the end of the block."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(attach(path, export)) for _ in range(count)]


def read_once(clients):
    """Each of them reads one block, one after the other."""
    for cookie, client in enumerate(clients):
        client.sendall(encode_request(COMMAND_READ, cookie, 0))
        receive_reply(client, COMMAND_READ)


class StuckClients:
    """Requests of several clients that a device does not answer for a while."""

    EACH = 16  # requests in flight of a client

    def __init__(self, clients, command, size):
        self.clients = clients
        self.command = command
        self.spacing = size // (len(clients) * self.EACH) // BLOCK * BLOCK

    def _cookies(self, number):
        return range(number * self.EACH, (number + 1) * self.EACH)

    def send(self):
        """All of a client in one call, which the socket takes, whether they are read or not."""
        for number, client in enumerate(self.clients):
            client.sendall(b"".join(encode_request(self.command, cookie, cookie * self.spacing)
                                    for cookie in self._cookies(number)))

    def answered(self):
        """How many of the clients have got something."""
        waiting = select.poll()
        for client in self.clients:
            waiting.register(client, select.POLLIN)
        return len(waiting.poll(0))

    def collect(self):
        """Waits for one reply to each request, and for nothing else."""
        for number, client in enumerate(self.clients):
            wanted = set(self._cookies(number))
            while wanted:
                cookie = receive_reply(client, self.command)
                if cookie not in wanted:
                    raise MeasureError(f"request {cookie}: want one reply, found another")
                wanted.remove(cookie)
            client.sendall(encode_request(COMMAND_DISCONNECT, 0, 0))
            if client.recv(1) != b"":
                raise MeasureError("a client: want no more replies, found another")
