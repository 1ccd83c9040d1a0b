#!/usr/bin/python3
"""Requests of odd sizes at odd places, compared byte by byte with what they should have done.

usage: odd_requests.py URI BLOCK MODEL-FILE PLACE...

Around each PLACE, the offset of a border in the export, requests begin and end before, at and
behind it, in multiples of BLOCK. After each one what lies around it must be as it was. At the end
the whole export is as MODEL-FILE, which is written.
"""

import itertools
import random
import sys

import nbd

AROUND = 8189  # bytes on either side of a request that are looked at
BEFORE = (8192 + 5, 4096, 777, 512, 1, 0, -1, -513)
LENGTHS = (1, 2, 512, 777, 4096, 4097, 3 * 4096 + 5)


class Export:
    """The export, and the bytes that it should have."""

    def __init__(self, uri, block):
        self.client = nbd.NBD()
        self.client.connect_uri(uri)
        self.size = self.client.get_size()
        self.block = block
        self.numbers = random.Random(1)
        self.model = bytearray(self.numbers.randbytes(self.size))
        for offset in range(0, self.size, 1 << 20):
            self.client.pwrite(bytes(self.model[offset:offset + (1 << 20)]), offset)

    def whole_blocks(self, start, end):
        """The range in blocks, and inside the export."""
        end = min(-(-end // self.block) * self.block, self.size)
        return max(start // self.block * self.block, 0), end

    def change(self, kind, start, end, flags):
        length = end - start
        if kind == "trim":
            self.client.trim(length, start, flags & nbd.CMD_FLAG_FUA)
            self.settle_trim(start, end)
            return
        data = bytes(length)
        if kind == "write":
            data = self.numbers.randbytes(length)
            self.client.pwrite(data, start, flags & nbd.CMD_FLAG_FUA)
        else:
            self.client.zero(length, start, flags)
        self.model[start:end] = data

    def settle_trim(self, start, end):
        """What was trimmed is as before, or zeroes."""
        first, last = self.whole_blocks(start, end)
        found = self.client.pread(last - first, first)[start - first:end - first]
        for at, byte in enumerate(found, start):
            assert byte in (0, self.model[at]), f"trimmed {start}..{end}: {byte:#x} at {at}"
        self.model[start:end] = found

    def compare(self, start, end, what):
        start, end = self.whole_blocks(start, end)
        found, wanted = self.client.pread(end - start, start), self.model[start:end]
        if found != wanted:
            at = next(i for i, (a, b) in enumerate(zip(found, wanted)) if a != b)
            sys.exit(f"{what}: at {start + at}: want {wanted[at]:#x}, found {found[at]:#x}")

    def try_around(self, place):
        seen = set()
        flags = itertools.cycle((0, nbd.CMD_FLAG_FUA, nbd.CMD_FLAG_NO_HOLE,
                                 nbd.CMD_FLAG_FUA | nbd.CMD_FLAG_NO_HOLE))
        for before, length in itertools.product(BEFORE, LENGTHS):
            start, end = self.whole_blocks(place - before, place - before + length)
            if start >= end or (start, end) in seen:
                continue
            seen.add((start, end))
            for kind in ("write", "trim", "write", "zero", "write"):
                with_flags = next(flags)
                self.change(kind, start, end, with_flags)
                self.compare(start - AROUND, end + AROUND,
                             f"{kind} {start}..{end} flags {with_flags}")


def main():
    uri, block, path, *places = sys.argv[1:]
    export = Export(uri, int(block))
    for place in places:
        export.try_around(int(place))
    export.client.flush()
    for offset in range(0, export.size, 1 << 20):
        export.compare(offset, offset + (1 << 20), "at the end")
    with open(path, "wb") as file:
        file.write(export.model)


if __name__ == "__main__":
    main()
