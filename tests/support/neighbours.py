#!/usr/bin/python3
"""Small writes to the same few blocks from several connections at once, each to bytes of its own.

usage: neighbours.py URI [BLOCKS]

Whoever reads, changes and writes back a block for one of them must not undo another.
"""

import sys
import threading

import nbd

CONNECTIONS = 6
ROUNDS = 12
SLOT = 97  # bytes: no divisor of any block
IN_FLIGHT = 16


class Neighbour(threading.Thread):
    """A connection, and every so manieth slot."""

    def __init__(self, uri, number, slots):
        super().__init__()
        self.number, self.slots = number, slots
        self.failed = 0
        self.client = nbd.NBD()
        self.client.connect_uri(uri)

    def content(self, turn):
        """Zeroes now and then, else what no other connection and no other round writes."""
        return bytes(SLOT) if turn % 4 == 2 else bytes([1 + self.number + CONNECTIONS * turn]) * SLOT

    def answered(self, error):
        self.failed += error.value != 0
        return 1

    def write(self, turn, slot):
        flags = nbd.CMD_FLAG_FUA if turn % 5 == 4 else 0
        data = self.content(turn)
        if any(data):
            buffer = nbd.Buffer.from_bytearray(bytearray(data))
            self.client.aio_pwrite(buffer, slot * SLOT, self.answered, flags)
        else:
            self.client.aio_zero(SLOT, slot * SLOT, self.answered, flags)

    def wait_until(self, in_flight):
        while self.client.aio_in_flight() > in_flight:
            self.client.poll(-1)

    def run(self):
        for turn in range(ROUNDS):
            for slot in self.slots:
                self.wait_until(IN_FLIGHT - 1)
                self.write(turn, slot)
            self.wait_until(0)
            self.failed += sum(self.client.pread(SLOT, slot * SLOT) != self.content(turn)
                               for slot in self.slots)


def main():
    blocks = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    slots = blocks * 4096 // SLOT
    threads = [Neighbour(sys.argv[1], number, range(number, slots, CONNECTIONS))
               for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [thread.failed for thread in threads]
    assert not any(failed), f"writes that were lost, by connection: {failed}"
    last = threads[0].client.pread(slots * SLOT, 0)
    wanted = b"".join(threads[slot % CONNECTIONS].content(ROUNDS - 1) for slot in range(slots))
    assert last == wanted, "a write was undone after it had been read"


if __name__ == "__main__":
    main()
