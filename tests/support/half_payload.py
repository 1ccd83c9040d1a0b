#!/usr/bin/python3
"""A client that is in the middle of a large WRITE is what a suspend waits for, until it is told to go.

usage: half_payload.py NBD-SOCKET CONTROL-SOCKET IMAGE    of the export vol

A WRITE that is not written as it arrives, because the device was busy when it began, holds up
nobody: then another client tries.
"""

import struct
import sys
import time

import raw_client
from control_client import Control, uri

OFFSET, LENGTH = 16 << 20, 32 << 20
control = Control()


def is_half_written(mark):
    end = time.monotonic() + 2
    with open(sys.argv[3], "rb", buffering=0) as image:
        while time.monotonic() < end:
            image.seek(OFFSET)
            if image.read(1) == mark:
                return True
            time.sleep(0.01)
    return False


for attempt in range(1, 30):
    client = raw_client.enter(uri())
    mark = bytes([attempt])
    header = struct.pack(">IHHQQI", 0x25609513, 0, 1, 7, OFFSET, LENGTH)
    client.send(header + mark * (LENGTH // 2))
    me = [s for s in control.call("session.list", export="vol")["sessions"]][-1]["session"]
    if is_half_written(mark):
        break
    control.call("session.disconnect", session=me, how="now")
else:
    raise AssertionError("no WRITE is written as it arrives")
code, message = control.code("export.suspend", name="vol", timeout_s=1)
assert code == 5 and f"session {me} " in message, (code, message)
assert control.status()["state"] == "live"
assert control.call("session.disconnect", session=me)["disconnected"] == 1
client.expect_closed("it was disconnected")
control.call("export.suspend", name="vol")
control.call("export.resume", name="vol")
