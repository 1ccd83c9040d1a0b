#!/usr/bin/python3
"""Reads that are led to a disk which is stuck, for tests/vm/isolation-mapped.sh.

usage: mapped_reads.py FOLDER

In the folder are the server's socket and "data", the first MiB of the export "stuck". It reads all
of it again and again until there is a file "mapped", and makes "idle". When there is one named
"stuck", it asks for a block of it on each of eight connections, and when there is one named
"waiting", uses the export "good" on connections old and new. It makes "served" when that is done,
and then checks what the eight have got.
"""

import os
import sys
import time

import nbd

BLOCK = 4096
BLOCKS = 256


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


def use(client, seed):
    """Some requests one after the other, of sizes that need memory of several kinds."""
    for number in range(50):
        length = (4096, 1 << 20, 100 << 10)[number % 3]
        data = bytes([seed, number]) * (length // 2)
        client.pwrite(data, number << 20)
        assert client.pread(length, number << 20) == data


def main():
    os.chdir(sys.argv[1])
    with open("data", "rb") as file:
        data = file.read()
    clients = [connect("stuck") for _ in range(8)]
    good = connect("good")
    while not os.path.exists("mapped"):
        for number in range(BLOCKS):
            clients[0].pread(BLOCK, number * BLOCK)
    make("idle")
    wait_for("stuck")
    buffers = [nbd.Buffer(BLOCK) for _ in clients]
    for number, client in enumerate(clients):
        client.aio_pread(buffers[number], number * 32 * BLOCK)
    wait_for("waiting")
    use(good, 1)
    for seed in range(2, 6):
        use(connect("good"), seed)
    for client in clients:
        client.poll(0)
        assert client.aio_in_flight() == 1, "a read of a stuck disk was answered"
    make("served")
    for number, client in enumerate(clients):
        while client.aio_in_flight():
            client.poll(-1)
        at = number * 32 * BLOCK
        assert buffers[number].to_bytearray() == data[at:at + BLOCK], f"block at {at}"
        assert client.pread(BLOCK, 0) == data[:BLOCK]


if __name__ == "__main__":
    main()
