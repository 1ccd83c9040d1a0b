#!/usr/bin/python3
"""BLOCK_STATUS of thousands of runs, hundreds in flight, and no reply is read: the server's memory
stays bounded. Then all is read: one reply to each request.

usage: status.py PID URI FILE

The server's memory is limited to 64 MiB, and the export is made of parts of the file, all of which
becomes an alternation of data and holes.
"""

import os
import sys
import threading

from attack import (BLOCK, EACH_CONNECTION, KIB, MIB, behave, descriptors, enter, eventually,
                    expect_all_gone, expect_memory, memory_kib, push, wire)

MEMORY = 64 * MIB
CONNECTIONS, REQUESTS = 4, 64
REST_S = 0.5


def fragment(path: str) -> None:
    """Every other block of the file is a hole."""
    file = os.open(path, os.O_WRONLY)
    for offset in range(0, os.fstat(file).st_size, 2 * BLOCK):
        os.pwrite(file, b"x" * BLOCK, offset)
    os.fsync(file)
    os.close(file)


class Flooder(threading.Thread):
    """One connection that asks, and later reads."""

    def __init__(self, uri: str) -> None:
        super().__init__()
        self.client = enter(uri, extended=True, contexts=["base:allocation"])
        data = b"".join(wire.extended_request(wire.CMD_BLOCK_STATUS, cookie, 0, self.client.size)
                        for cookie in range(REQUESTS))
        assert push(self.client, data) == len(data), "the socket does not take it all"
        self.answered = [0] * REQUESTS

    def run(self) -> None:
        """One chunk for each request, which is all of the reply."""
        while sum(self.answered) < REQUESTS:
            head = self.client.receive(32)
            self.answered[int.from_bytes(head[8:16], "big")] += 1
            self.client.receive(int.from_bytes(head[24:32], "big"))


def at_rest(pid: int) -> bool:
    """Whether the server has nothing left to do."""
    def ticks() -> list[str]:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[11:13]
    before = ticks()
    threading.Event().wait(REST_S)
    return ticks() == before


def main() -> None:
    pid, uri, path = int(sys.argv[1]), *sys.argv[2:4]
    fragment(path)
    base, empty = descriptors(pid), memory_kib(pid) * KIB
    flooders = [Flooder(uri) for _ in range(CONNECTIONS)]
    eventually("the server at rest", lambda: at_rest(pid))
    behave(uri, 100)
    for flooder in flooders:
        flooder.start()
    for flooder in flooders:
        flooder.join()
        assert flooder.answered == [1] * REQUESTS, "want each request answered once"
        flooder.client.close()
    expect_all_gone(pid, base)
    expect_memory(pid, empty + MEMORY + (CONNECTIONS + 1) * EACH_CONNECTION, "block status")


if __name__ == "__main__":
    main()
