#!/usr/bin/python3
"""A client that is in the middle of a large WRITE is what a suspend waits for, until it is told to go.

usage: half_payload.py NBD-SOCKET CONTROL-SOCKET
"""

import struct
import time

import raw_client
from control_client import Control, uri

control, client = Control(), raw_client.enter(uri())
length = 32 << 20
client.send(struct.pack(">IHHQQI", 0x25609513, 0, 1, 7, 16 << 20, length) + bytes(length // 2))
me = [s for s in control.call("session.list", export="vol")["sessions"]][-1]["session"]
code, message = control.code("export.suspend", name="vol", timeout_s=1)
assert code == 5 and f"session {me} " in message, (code, message)
assert control.status()["state"] == "live"
assert control.call("session.disconnect", session=me)["disconnected"] == 1
client.expect_closed("it was disconnected")
control.call("export.suspend", name="vol")
control.call("export.resume", name="vol")
