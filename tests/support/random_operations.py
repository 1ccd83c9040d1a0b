#!/usr/bin/python3
"""Random operations on an export, compared with a plain array that is kept in a file.

usage: random_operations.py URI MODEL-FILE SEED TURNS

Four connections work at the same time, each with some requests in flight. Requests in flight never
overlap one that changes something, so each reply has exactly one right content. At the end the
whole export is compared with the array.
"""

import os
import random
import sys

import nbd

CONNECTIONS = 4
IN_FLIGHT = 8  # for each connection
LONGEST = 300_000


class Work:
    """One request in flight: its range, and what it must have read."""

    def __init__(self, start, end, changes):
        self.start, self.end, self.changes = start, end, changes

    def conflicts(self, start, end, changes):
        return (self.changes or changes) and start < self.end and self.start < end


class Run:
    def __init__(self, uri, model, seed):
        self.model = model
        self.choice = random.Random(seed)
        self.in_flight = []
        self.clients = []
        for _ in range(CONNECTIONS):
            client = nbd.NBD()
            client.connect_uri(uri)
            assert client.get_size() == len(model), (client.get_size(), len(model))
            self.clients.append(client)

    def free_range(self, changes):
        """A range, most often short and unaligned, that conflicts with nothing in flight."""
        while True:
            length = self.choice.choice((1, 7, 512, 4096, 4097, 65536, LONGEST))
            length = self.choice.randint(1, length)
            start = self.choice.randrange(len(self.model) - length)
            if self.choice.random() < 0.3:  # as disks are used
                start, length = start & ~4095, (length + 4095) & ~4095
            end = min(start + length, len(self.model))
            if not any(work.conflicts(start, end, changes) for work in self.in_flight):
                return start, end

    def issue(self, client):
        kind = self.choice.choice(("read", "read", "write", "write", "zero", "trim", "flush"))
        if kind == "flush":
            client.aio_flush(completion=lambda error: self.finished(None, error, kind))
            return
        changes = kind != "read"
        start, end = self.free_range(changes)
        work = Work(start, end, changes)
        self.in_flight.append(work)
        fua = self.choice.choice((0, 0, 0, nbd.CMD_FLAG_FUA)) if changes else 0

        if kind == "read":
            wanted = bytes(self.model[start:end])
            buffer = nbd.Buffer(end - start)

            def check(error):
                if error.value == 0:
                    found = buffer.to_bytearray()
                    assert found == wanted, difference(found, wanted, start)
                return self.finished(work, error, kind)

            client.aio_pread(buffer, start, check)
            return

        def done(error):
            return self.finished(work, error, kind)

        if kind == "write":
            data = self.choice.randbytes(end - start)
            self.model[start:end] = data
            client.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data)), start, done, fua)
        elif kind == "zero":
            self.model[start:end] = bytes(end - start)
            client.aio_zero(end - start, start, done,
                            fua | self.choice.choice((0, nbd.CMD_FLAG_NO_HOLE)))
        else:
            # What a trimmed range reads as is the server's choice: settle it by writing.
            client.trim(end - start, start, fua)
            data = self.choice.randbytes(end - start)
            self.model[start:end] = data
            client.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(data)), start, done)

    def finished(self, work, error, kind):
        assert error.value == 0, f"{kind}: {os.strerror(error.value)}"
        if work is not None:
            self.in_flight.remove(work)
        return 1

    def work(self, turns):
        for turn in range(turns):
            client = self.clients[turn % CONNECTIONS]
            while client.aio_in_flight() >= IN_FLIGHT:
                client.poll(-1)
            self.issue(client)
        for client in self.clients:
            while client.aio_in_flight():
                client.poll(-1)
        assert not self.in_flight

    def compare(self):
        step = 1 << 20
        for start in range(0, len(self.model), step):
            wanted = bytes(self.model[start:start + step])
            found = self.clients[0].pread(len(wanted), start)
            assert found == wanted, difference(found, wanted, start)


def difference(found, wanted, start):
    at = next(i for i, (a, b) in enumerate(zip(found, wanted)) if a != b)
    return f"at {start + at}: want {wanted[at:at + 8].hex()}, found {found[at:at + 8].hex()}"


def main():
    uri, path, seed, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if os.path.exists(path):
        with open(path, "rb") as file:
            model = bytearray(file.read())
    else:
        client = nbd.NBD()
        client.connect_uri(uri)
        model = bytearray(client.get_size())
    run = Run(uri, model, seed)
    run.work(turns)
    run.compare()
    with open(path, "wb") as file:
        file.write(model)


if __name__ == "__main__":
    main()
