#!/usr/bin/python3
"""Passes on whatever clients and a server say to each other, and counts it.

usage: counting_proxy.py LISTEN CONNECT

Both are paths of Unix sockets. Upon SIGTERM it waits until every client has left, then prints how
many bytes went to the server and how many came from it.
"""

import signal
import socket
import sys
import threading

PIECE = 1 << 18


class Stop(Exception):
    """SIGTERM."""


def stop(*_):
    raise Stop


class Pump(threading.Thread):
    """One direction of one connection."""

    def __init__(self, source, target):
        super().__init__(daemon=True)
        self.source, self.target = source, target
        self.count = 0

    def run(self):
        room = memoryview(bytearray(PIECE))
        try:
            while got := self.source.recv_into(room):
                self.target.sendall(room[:got])
                self.count += got
            self.target.shutdown(socket.SHUT_WR)
        except OSError:  # one of the two is gone, and the other is to notice
            self.source.close()
            self.target.close()


def main():
    listen, connect = sys.argv[1:]
    pumps = []
    signal.signal(signal.SIGTERM, stop)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(listen)
        listener.listen(64)
        try:
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(connect)
                pumps.append((Pump(client, server), Pump(server, client)))
                for pump in pumps[-1]:
                    pump.start()
        except Stop:
            pass
    for pair in pumps:
        for pump in pair:
            pump.join()
    print(sum(up.count for up, _ in pumps), sum(down.count for _, down in pumps))


if __name__ == "__main__":
    main()
