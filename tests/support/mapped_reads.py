#!/usr/bin/python3
"""Reads that are led to a disk which is stuck, for tests/system/isolation-mapped.sh.

usage: mapped_reads.py FOLDER SERVER-PID DISK

In the folder are the server's socket and disk.img, which is what the export "stuck" has. It reads
all of that again and again until the server has it mapped, takes all but the last part out of memory,
and makes the file "evicted". When there is one named "stuck", it asks for blocks that are not in
memory on each of eight connections, and when there is one named "waiting", reads those that are, and
uses the export "good", on connections old and new. It makes "served" when that is done, and then
checks what the eight have got.
"""

import ctypes
import os
import sys
import time

import nbd

BLOCK = 4096
SIZE = 1 << 20
KEPT = SIZE - (256 << 10)  # what is behind this stays in memory
MADV_PAGEOUT = 21
SYS_PROCESS_MADVISE = 440


def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.02)


def make(name):
    with open(name, "w", encoding="ascii"):
        pass


def connect(export):
    client = nbd.NBD()
    client.connect_uri(f"nbd+unix:///{export}?socket={os.getcwd()}/nbd.sock")
    return client


def mapping(pid, disk):
    """Where the server has the disk, and how many KiB of it are in memory."""
    begin = None
    with open(f"/proc/{pid}/smaps", encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[-1] == disk:
                begin = int(words[0].split("-")[0], 16)
            elif begin is not None and words[0] == "Rss:":
                return begin, int(words[1])
    return 0, 0


class Range(ctypes.Structure):
    _fields_ = [("begin", ctypes.c_uint64), ("length", ctypes.c_uint64)]


def evict(pid, disk):
    """The blocks in front of KEPT, from the server's memory and from the page cache."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    begin, _ = mapping(pid, disk)
    while mapping(pid, disk)[1] > (SIZE - KEPT) >> 10:
        what = Range(begin, KEPT)
        if libc.syscall(SYS_PROCESS_MADVISE, process, ctypes.byref(what), 1, MADV_PAGEOUT, 0) < 0:
            raise OSError(ctypes.get_errno(), "process_madvise")
    below = os.open("disk/nbd", os.O_RDONLY)  # which the loop device reads through the page cache
    os.posix_fadvise(below, 0, 0, os.POSIX_FADV_DONTNEED)


def use(client, seed, kept, data):
    """Some requests one after the other, of sizes that need memory of several kinds."""
    for number in range(50):
        length = (4096, 1 << 20, 100 << 10)[number % 3]
        pattern = bytes([seed, number]) * (length // 2)
        client.pwrite(pattern, number << 20)
        assert client.pread(length, number << 20) == pattern
        at = KEPT + number * BLOCK
        assert kept.pread(BLOCK, at) == data[at:at + BLOCK]


def main():
    os.chdir(sys.argv[1])
    pid, disk = int(sys.argv[2]), sys.argv[3]
    with open("disk.img", "rb") as file:
        data = file.read()
    clients = [connect("stuck") for _ in range(8)]
    kept = connect("stuck")
    good = connect("good")
    while mapping(pid, disk)[1] < SIZE >> 10:
        for at in range(0, SIZE, BLOCK):
            clients[0].pread(BLOCK, at)
    evict(pid, disk)
    make("evicted")
    wait_for("stuck")
    buffers = [nbd.Buffer(BLOCK) for _ in clients]
    for number, client in enumerate(clients):
        client.aio_pread(buffers[number], number * 20 * BLOCK)
    wait_for("waiting")
    use(good, 1, kept, data)
    for seed in range(2, 6):
        use(connect("good"), seed, kept, data)
    for client in clients:
        client.poll(0)
        assert client.aio_in_flight() == 1, "a read of a stuck disk was answered"
    make("served")
    for number, client in enumerate(clients):
        while client.aio_in_flight():
            client.poll(-1)
        at = number * 20 * BLOCK
        assert buffers[number].to_bytearray() == data[at:at + BLOCK], f"block at {at}"
        assert client.pread(BLOCK, 0) == data[:BLOCK]


if __name__ == "__main__":
    main()
