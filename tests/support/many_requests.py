#!/usr/bin/python3
"""Makes so many requests of 4 KiB, and checks what they read: first writes, then reads.

usage: many_requests.py URI COUNT

On four connections, 16 in flight on each. A block is read on another connection than it was
written on. Fails if a request does, or if one is not answered exactly once.
"""

import collections
import sys

import nbd

BLOCK = 4096
IN_FLIGHT = 16  # on each connection


def content(number):
    return number.to_bytes(4, "big") * (BLOCK // 4)


class Run:
    def __init__(self, uri):
        self.replies = collections.Counter()
        self.clients = [nbd.NBD() for _ in range(4)]
        for client in self.clients:
            client.connect_uri(uri)

    def answered(self, kind, number, error, buffer=None):
        assert error.value == 0, f"{kind} of block {number}: {error.value}"
        assert buffer is None or buffer.to_bytearray() == content(number), f"block {number}"
        self.replies[kind, number] += 1
        return 1

    def write(self, client, number):
        client.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(content(number))), number * BLOCK,
                          lambda error: self.answered("write", number, error))

    def read(self, client, number):
        buffer = nbd.Buffer(BLOCK)
        client.aio_pread(buffer, number * BLOCK,
                         lambda error: self.answered("read", number, error, buffer))

    def all_blocks(self, ask, blocks, shift):
        for number in range(blocks):
            client = self.clients[(number + shift) % len(self.clients)]
            while client.aio_in_flight() >= IN_FLIGHT:
                client.poll(-1)
            ask(client, number)
        for client in self.clients:
            while client.aio_in_flight():
                client.poll(-1)
            client.flush()


def main():
    uri, count = sys.argv[1], int(sys.argv[2])
    run = Run(uri)
    run.all_blocks(run.write, count // 2, 0)
    run.all_blocks(run.read, count // 2, 1)
    found = len(run.replies), max(run.replies.values())
    assert found == (count, 1), f"want {count} requests answered once each, found {found}"


if __name__ == "__main__":
    main()
