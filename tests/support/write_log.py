#!/usr/bin/python3
"""What dm-log-writes has seen: whether each write that was acknowledged is safe at its mark.

usage: write_log.py LOG-DEVICE

For each mark WORD@SECTOR in the log: the last write to that sector before the mark must begin with
WORD, and be FUA or followed by a flush before the mark. Says how many marks there are.
"""

import struct
import sys

FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR = 512
ENTRY = struct.Struct("<QQQQ")


def entries(log):
    _, _, number, sector_size = struct.unpack_from("<QQQI", log.read(SECTOR))
    log.seek(sector_size)
    for _ in range(number):
        entry = log.read(sector_size)
        sector, sectors, flags, length = ENTRY.unpack_from(entry)
        if flags & MARK:
            yield flags, sector, entry[ENTRY.size : ENTRY.size + length].rstrip(b"\0")
        elif flags & DISCARD:
            yield flags, sector, b""
        else:
            yield flags, sector, log.read(sectors * sector_size)


def main():
    safe, cached, marks = {}, {}, 0
    with open(sys.argv[1], "rb") as log:
        for flags, sector, data in entries(log):
            if flags & MARK:
                if b"@" not in data:
                    continue  # one of its own
                word, where = data.split(b"@")
                found = safe.get(int(where), b"nothing")
                assert found.split()[:1] == [word], (data, found[:40])
                marks += 1
                continue
            if flags & FLUSH:
                safe.update(cached)
                cached.clear()
            target = safe if flags & FUA else cached
            for start in range(0, len(data), 4096):
                target[sector + start // SECTOR] = data[start : start + 64]
    print(f"{marks} marks")


main()
