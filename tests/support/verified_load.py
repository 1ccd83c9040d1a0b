#!/usr/bin/python3
"""Random operations on a part of an export, each checked against a copy in memory.

usage: verified_load.py [--simple] [--reconnect] [--block N] [--at MIB] URI START-MIB MIB MODEL-FILE SEED

The part begins at START-MIB, or if it is said at what --at says.

Works until the file load-stop exists, makes load-working.SEED when it is well under way, and fails
if a request does, or reads what it should not. At the end the whole part is compared and the copy
is kept in MODEL-FILE. Prints how much was done, and the longest time that a request took.

With --reconnect it comes back when the connection is lost, and sends what was not answered again,
as the kernel's client does.
"""

import argparse
import os
import random
import sys
import time

import nbd

DEPTH = 8
MiB = 1 << 20
LENGTHS = (512, 4096, 4096, 16384, 65536, 128 << 10, 256 << 10, MiB)
KINDS = ("read", "read", "read", "write", "write", "write", "zero", "trim", "flush", "status")
PATIENCE_S = 90


class Work:
    """One request: its range, what it is to have read or to write, and when it was first sent."""

    def __init__(self, kind, start=0, end=0, data=None, flags=0):
        self.kind, self.start, self.end, self.data, self.flags = kind, start, end, data, flags
        self.began = time.monotonic()


class Load:
    def __init__(self, wishes):
        self.wishes = wishes
        self.choice = random.Random(wishes.seed)
        self.start = (wishes.start if wishes.at is None else wishes.at) * MiB
        self.model = bytearray(wishes.mib * MiB)
        self.busy = []  # each in flight, or to be sent again, or to be followed by a write
        self.again = []
        self.failures = []
        self.done = 0
        self.reconnected = 0
        self.longest = 0.0
        self.client = None
        self.connect()

    def connect(self):
        end = time.monotonic() + PATIENCE_S
        while True:
            client = nbd.NBD()
            client.set_request_structured_replies(not self.wishes.simple)
            client.add_meta_context("base:allocation")
            try:
                client.connect_uri(self.wishes.uri)
                self.client = client
                return
            except nbd.Error:
                if not self.wishes.reconnect or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def free_range(self, longest):
        """A range that nothing in flight touches."""
        while True:
            length = self.choice.choice(LENGTHS)
            length -= self.choice.randrange(length) // self.wishes.block * self.wishes.block
            length = min(length, longest)
            blocks = (len(self.model) - length) // self.wishes.block + 1
            start = self.choice.randrange(blocks) * self.wishes.block
            end = start + length
            if not any(work.start < end and start < work.end for work in self.busy):
                return start, end

    def next(self):
        kind = self.choice.choice(KINDS)
        if kind == "flush":
            return Work(kind)
        if kind == "status" and not self.client.can_meta_context("base:allocation"):
            kind = "read"
        start, end = self.free_range(MiB)
        fua = nbd.CMD_FLAG_FUA if self.choice.random() < 0.2 else 0
        if kind == "read":
            return Work(kind, start, end, bytes(self.model[start:end]))
        if kind == "write":
            return Work(kind, start, end, self.choice.randbytes(end - start), fua)
        if kind == "zero":
            flags = fua | self.choice.choice((0, nbd.CMD_FLAG_NO_HOLE))
            return Work(kind, start, end, bytes(end - start), flags)
        return Work(kind, start, end, None, fua if kind == "trim" else 0)

    def send(self, work):
        offset, length = self.start + work.start, work.end - work.start
        buffer = nbd.Buffer(length) if work.kind == "read" else None

        def done(error):
            self.finished(work, error.value, buffer)
            return 1

        if work.kind == "read":
            self.client.aio_pread(buffer, offset, done)
        elif work.kind == "write":
            data = nbd.Buffer.from_bytearray(bytearray(work.data))
            self.client.aio_pwrite(data, offset, done, work.flags)
        elif work.kind == "zero":
            self.client.aio_zero(length, offset, done, work.flags)
        elif work.kind == "trim":
            self.client.aio_trim(length, offset, done, work.flags)
        elif work.kind == "flush":
            self.client.aio_flush(done)
        else:
            self.client.aio_block_status(length, offset, lambda *_: 0, done)

    def finished(self, work, error, buffer):
        if error != 0:
            if not self.wishes.reconnect:
                self.failures.append(f"{work.kind} {work.start}-{work.end}: {os.strerror(error)}")
            self.again.append(work)
            return
        if work.kind == "read":
            found = buffer.to_bytearray()
            if found != work.data:
                self.failures.append(difference(found, work.data, self.start + work.start))
        self.longest = max(self.longest, time.monotonic() - work.began)
        self.done += 1
        if work.kind == "trim":  # it may read as anything: settle that
            data = self.choice.randbytes(work.end - work.start)
            work.kind, work.data, work.began = "write", data, time.monotonic()
            self.again.append(work)
            return
        if work.kind in ("write", "zero"):
            self.model[work.start:work.end] = work.data
        self.busy.remove(work)

    def turn(self, begins):
        """Sends what there is to be sent, and waits for something to happen."""
        try:
            while self.again:
                work = self.again.pop()
                try:
                    self.send(work)
                except nbd.Error:
                    self.again.append(work)
                    raise
            while begins and len(self.busy) < DEPTH:
                work = self.next()
                self.busy.append(work)
                try:
                    self.send(work)
                except nbd.Error:
                    self.again.append(work)
                    raise
            if self.busy and self.client.poll(100_000) == 0:
                raise SystemExit(f"no answer for 100 s to {[vars(w) for w in self.busy]}")
        except nbd.Error as lost:
            if not self.wishes.reconnect:
                raise SystemExit(f"connection lost: {lost}") from lost
            unsent, self.again = self.again, []
            try:
                self.client.shutdown()
            except nbd.Error:
                pass
            self.client = None
            self.again = [work for work in self.busy]
            assert all(work in self.busy for work in unsent)
            self.reconnected += 1
            self.connect()
        if self.failures:
            raise SystemExit("\n".join(self.failures))

    def run(self):
        for block in range(0, len(self.model), MiB):
            self.client.pwrite(bytes(self.model[block:block + MiB]), self.start + block)
        marked = False
        while not os.path.exists("load-stop"):
            self.turn(True)
            if not marked and self.done >= 50:
                open(f"load-working.{self.wishes.seed}", "w").close()
                marked = True
        while self.busy:
            self.turn(False)
        self.client.flush()
        for at in range(0, len(self.model), MiB):
            found = self.client.pread(MiB, self.start + at)
            wanted = bytes(self.model[at:at + MiB])
            assert found == wanted, difference(found, wanted, self.start + at)
        with open(self.wishes.model, "wb") as file:
            file.write(self.model)
        self.client.shutdown()
        print(f"{self.done} requests, the longest took {self.longest * 1000:.1f} ms, "
              f"{self.reconnected} times reconnected")


def difference(found, wanted, start):
    at = next(i for i, (a, b) in enumerate(zip(found, wanted)) if a != b)
    return f"at {start + at}: want {wanted[at:at + 8].hex()}, found {found[at:at + 8].hex()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--simple", action="store_true")
    parser.add_argument("--reconnect", action="store_true")
    parser.add_argument("--block", type=int, default=512)
    parser.add_argument("--at", type=int)
    parser.add_argument("uri")
    parser.add_argument("start", type=int)
    parser.add_argument("mib", type=int)
    parser.add_argument("model")
    parser.add_argument("seed", type=int)
    Load(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
