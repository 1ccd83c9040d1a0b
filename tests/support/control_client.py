"""A client of the control socket, for tests that say what interposectl does not."""

import json
import os
import socket
import sys

NBD_SOCKET, CONTROL_SOCKET = sys.argv[1:3] if len(sys.argv) > 2 else ("", "")
PATIENCE_S = 100


def uri(export="vol"):
    return f"nbd+unix:///{export}?socket={NBD_SOCKET}"


class Refused(Exception):
    """The server's answer is an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class Control:
    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path or CONTROL_SOCKET)
        self.received = b""
        self.asked = 0

    def send(self, line):
        """Bytes as they are."""
        self.socket.sendall(line)

    def line(self):
        """The next line, or what there is before the end."""
        while b"\n" not in self.received:
            more = self.socket.recv(1 << 20)
            if not more:
                break
            self.received += more
        line, _, self.received = self.received.partition(b"\n")
        return line

    def ended(self):
        """Whether the server closes the connection, after what it has still to say."""
        try:
            while self.socket.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
        return True

    def ask(self, method, params=None, **more):
        self.asked += 1
        request = {"jsonrpc": "2.0", "id": self.asked, "method": method,
                   "params": {**(params or {}), **more}}
        self.send(json.dumps(request).encode() + b"\n")
        return self.asked

    def answer(self):
        return json.loads(self.line())

    def call(self, method, params=None, **more):
        """The result; throws Refused."""
        asked = self.ask(method, params, **more)
        answer = self.answer()
        assert answer["id"] == asked, answer
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def code(self, method, params=None, **more):
        """The error's code, or 0, and the message."""
        try:
            self.call(method, params, **more)
            return 0, ""
        except Refused as why:
            return why.code, why.message

    def status(self, export="vol"):
        return self.call("export.status", name=export)["exports"][0]


def descriptors(pid):
    """How many the process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
