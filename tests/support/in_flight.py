#!/usr/bin/python3
"""Keeps requests in flight, 16 on each connection, until every one has been answered.

usage: in_flight.py URI read|write [CONNECTIONS]

Without a number, 12 connections. Makes the file "sent" when all of them have been sent, and
"answered" when the first reply comes. Fails if a request does, or if one is not answered exactly
once.
"""

import collections
import sys

import nbd

IN_FLIGHT = 16


class Run:
    def __init__(self, uri, kind, connections):
        self.kind = kind
        self.replies = collections.Counter()
        self.clients = []
        for first in range(0, connections * IN_FLIGHT, IN_FLIGHT):
            client = nbd.NBD()
            client.connect_uri(uri)
            for number in range(first, first + IN_FLIGHT):
                self.send(client, number)
            self.clients.append(client)

    def send(self, client, number):
        def answered(error):
            assert error.value == 0, f"a request failed: {error.value}"
            self.replies[number] += 1
            open("answered", "w").close()
            return 1

        if self.kind == "read":
            client.aio_pread(nbd.Buffer(4096), number << 18, answered)
        else:
            data = nbd.Buffer.from_bytearray(bytearray(b"x" * 4096))
            client.aio_pwrite(data, number << 12, answered)

    def wait(self):
        for client in self.clients:
            while client.aio_in_flight():
                client.poll(-1)
        for client in self.clients:
            client.pread(512, 0)  # behind it no other reply can be on its way
        wanted = len(self.clients) * IN_FLIGHT
        found = len(self.replies), max(self.replies.values())
        assert found == (wanted, 1), f"want {wanted} requests answered once each, found {found}"


def main():
    uri, kind = sys.argv[1:3]
    run = Run(uri, kind, int(sys.argv[3]) if len(sys.argv) > 3 else 12)
    open("sent", "w").close()
    run.wait()


if __name__ == "__main__":
    main()
