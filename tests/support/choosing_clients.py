#!/usr/bin/python3
"""Clients that choose the export "vol", over large.img, while it becomes another.

usage: choosing_clients.py NBD-SOCKET CONTROL-SOCKET
"""

import os

import nbd
from control_client import Control, Refused, uri

control = Control()


def swap(image, sectors):
    segment = {"kind": "linear", "device": os.path.abspath(image), "length": f"{sectors}s"}
    control.call("export.load", name="vol", definition=[segment])
    return control.call("export.resume", name="vol")


def choosing():
    client = nbd.NBD()
    client.set_opt_mode(True)
    client.connect_uri(uri())
    client.opt_info()
    return client, client.get_size()

early, size = choosing()
swap("small.img", 100)                      # nobody is there: it may shrink
early.opt_go()
assert size == 4 << 20 and early.get_size() == 51200, "GO tells the size anew"
try: swap("small.img", 99)
except Refused as why: assert why.code == 2, why
else: raise SystemExit("it has shrunk under a client that has chosen it")
control.call("export.clear", name="vol")
early.pwrite(b"x" * 512, 50688)
early.shutdown()
control.call("wait", event="drained", export="vol", timeout_s=60)

control.call("export.suspend", name="vol")
late, _ = choosing()
late.opt_go()
done = []
late.aio_pread(buffer := nbd.Buffer(512), 50688, lambda error: done.append(error.value) or 1)
for _ in range(20): control.call("export.status")
late.poll(0)
assert not done, "answered while it is suspended"
control.call("export.load", name="vol", definition=[
    {"kind": "linear", "device": os.path.abspath("large.img"), "length": "1MiB"}])
control.call("export.resume", name="vol")
while not done: late.poll(-1)
assert done == [0] and buffer.to_bytearray() == bytes(512), "want what the new table has"
