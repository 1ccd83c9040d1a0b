#!/usr/bin/python3
"""Writes to a file or a block device and verifies what it reads, until SIGTERM.

usage: verified_writer.py [--direct] [--mib N] [--start MIB] [--seed N] [--count FILE] [--stalls MS] PATH

Each block of 4 KiB says where it belongs, of which generation it is, and has a checksum. Without
--direct each write is followed by fsync(), and reads ask the page cache to forget first; with it all
I/O is O_DIRECT. Says "working" on stderr when it is well under way, keeps the number of requests done
in --count's file, and goes on after an error. Told to stop, it reads everything that it has written
once more and prints one line of JSON. Exit status: 1 if there was an error or a mismatch.

"longest_ms" is of the slowest request, and with --stalls "stalls" lists when each began that took
longer than that, in seconds since the epoch, and its milliseconds.
"""

import argparse
import json
import mmap
import os
import random
import signal
import struct
import sys
import time
import zlib

BLOCK = 4096
HEADER = struct.Struct("<8sQQI")
MAGIC = b"verified"
RUNS = (1, 1, 1, 1, 4, 16)
WORKING_AFTER = 20
UNKNOWN = -1  # of a write that failed, nobody knows what it has done


def block_of(index, generation):
    pattern = struct.pack("<QQ", index * 0x9E3779B97F4A7C15 & (1 << 64) - 1, generation)
    rest = (pattern * (BLOCK // len(pattern)))[HEADER.size :]
    return HEADER.pack(MAGIC, index * BLOCK, generation, zlib.crc32(rest)) + rest


def described(data):
    magic, offset, generation, checksum = HEADER.unpack_from(data)
    if magic != MAGIC:
        return f"no block of ours: {bytes(data[:16]).hex()}"
    intact = zlib.crc32(data[HEADER.size :]) == checksum
    return f"offset {offset} generation {generation}{'' if intact else ', damaged'}"


class Writer:
    def __init__(self, wishes):
        self.wishes = wishes
        self.choice = random.Random(wishes.seed)
        self.blocks = wishes.mib << 20 - 12
        self.first = wishes.start << 20 - 12
        self.generations = [0] * self.blocks  # 0: not written yet
        self.generation = 0
        self.buffer = mmap.mmap(-1, max(RUNS) * BLOCK)  # aligned, as O_DIRECT wants it
        self.stopped = False
        self.numbers = dict(writes=0, reads=0, errors=0, mismatches=0, longest_ms=0)
        self.stalls = []
        flags = os.O_RDWR | os.O_CREAT | (os.O_DIRECT if wishes.direct else 0)
        self.file = os.open(wishes.path, flags, 0o600)
        if os.fstat(self.file).st_size < self.offset(self.blocks) and os.path.isfile(wishes.path):
            os.ftruncate(self.file, self.offset(self.blocks))
        self.count = os.open(wishes.count, os.O_WRONLY | os.O_CREAT) if wishes.count else None

    def offset(self, block):
        return (self.first + block) * BLOCK

    def timed(self, kind, request):
        """Whether the request succeeded."""
        began, since = time.time(), time.monotonic()
        try:
            request()
            good = True
        except OSError as error:
            self.numbers["errors"] += 1
            print(f"{began:.3f} {kind}: {error}", file=sys.stderr, flush=True)
            time.sleep(0.01)
            good = False
        took_ms = round((time.monotonic() - since) * 1000)
        self.numbers["longest_ms"] = max(self.numbers["longest_ms"], took_ms)
        if self.wishes.stalls is not None and took_ms > self.wishes.stalls:
            self.stalls.append([round(began, 3), took_ms])
        self.numbers[kind] += good
        return good

    def write(self, block, number):
        self.generation += 1
        for each in range(number):
            data = block_of(self.first + block + each, self.generation)
            self.buffer[each * BLOCK : (each + 1) * BLOCK] = data

        def request():
            with memoryview(self.buffer)[: number * BLOCK] as data:
                done = os.pwrite(self.file, data, self.offset(block))
            if done != number * BLOCK:
                raise OSError(f"{done} bytes written of {number * BLOCK}")
            if not self.wishes.direct:
                os.fsync(self.file)

        state = self.generation if self.timed("writes", request) else UNKNOWN
        self.generations[block : block + number] = [state] * number

    def read(self, block, number):
        def request():
            if not self.wishes.direct:
                os.posix_fadvise(
                    self.file, self.offset(block), number * BLOCK, os.POSIX_FADV_DONTNEED
                )
            with memoryview(self.buffer)[: number * BLOCK] as data:
                done = os.preadv(self.file, [data], self.offset(block))
            if done != number * BLOCK:
                raise OSError(f"{done} bytes read of {number * BLOCK}")

        if not self.timed("reads", request):
            return
        for each in range(number):
            generation = self.generations[block + each]
            found = self.buffer[each * BLOCK : (each + 1) * BLOCK]
            if generation > 0 and found != block_of(self.first + block + each, generation):
                self.numbers["mismatches"] += 1
                print(
                    f"{time.time():.3f} want offset {self.offset(block + each)} generation"
                    f" {generation}, found {described(found)}",
                    file=sys.stderr,
                    flush=True,
                )

    def run(self):
        done = 0
        while not self.stopped:
            number = self.choice.choice(RUNS)
            block = self.choice.randrange(self.blocks - number + 1)
            written = any(state > 0 for state in self.generations[block : block + number])
            if written and self.choice.random() < 0.5:
                self.read(block, number)
            else:
                self.write(block, number)
            done += 1
            if self.count is not None:
                os.pwrite(self.count, b"%d\n" % done, 0)
            if done == WORKING_AFTER:
                print("working", file=sys.stderr, flush=True)
        for block in range(0, self.blocks, max(RUNS)):
            number = min(max(RUNS), self.blocks - block)
            if any(state > 0 for state in self.generations[block : block + number]):
                self.read(block, number)
        if self.wishes.stalls is not None:
            self.numbers["stalls"] = self.stalls
        print(json.dumps(self.numbers), flush=True)
        return self.numbers["errors"] + self.numbers["mismatches"] > 0

    def stop(self, *_):
        self.stopped = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--mib", type=int, default=16)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count")
    parser.add_argument("--stalls", type=float)
    parser.add_argument("path")
    writer = Writer(parser.parse_args())
    signal.signal(signal.SIGTERM, writer.stop)
    return writer.run()


sys.exit(main())
