#!/usr/bin/python3
"""Sends the beginning of a WRITE, has the table swapped between a.img and b.img, sends the rest.

usage: half_writes.py NBD-SOCKET CONTROL-SOCKET URI
"""

import os
import random
import struct
import sys

import raw_client
from control_client import Control, uri

control, choice = Control(), random.Random(1)


def swap(image):
    segment = {"kind": "linear", "device": os.path.abspath(image)}
    control.call("export.suspend", name="vol", timeout_s=60)
    control.call("export.load", name="vol", definition=[segment])
    control.call("export.resume", name="vol", timeout_s=60)


def reply(client):
    magic, error, cookie = struct.unpack(">IIQ", client.receive(16))
    assert (magic, error) == (0x67446698, 0), (hex(magic), error, cookie)
    return cookie


def written(image, offset, length):
    with open(image, "rb") as file:
        file.seek(offset)
        return file.read(length)

images, cookie = ["a.img", "b.img"], 0
for to, framing in ((to, framing) for to in (uri(), sys.argv[3]) for framing in (False, True)):
    client = raw_client.enter(to, structured=framing)
    for length in (512, 4096, 65536, 128 << 10, 256 << 10, 1 << 20, 8 << 20):
        for arrived in (0, 1, 100, 511):
            data, cookie, offset = choice.randbytes(length), cookie + 2, choice.randrange(4096) * 512
            old, new = images
            before = written(old, offset, length)
            header = struct.pack(">IHHQQI", 0x25609513, 0, 1, cookie, offset, length)
            client.send(header + data[:arrived])
            swap(new)
            flush = struct.pack(">IHHQQI", 0x25609513, 0, 3, cookie + 1, 0, 0)
            client.send(data[arrived:] + flush)
            where = (to, framing, length, arrived)
            assert {reply(client), reply(client)} == {cookie, cookie + 1}, where
            assert written(new, offset, length) == data, f"{where}: not in the new table"
            assert written(old, offset, length) == before, f"{where}: something is in the old one"
            images.reverse()
    client.close()
