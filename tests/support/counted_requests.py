#!/usr/bin/python3
"""Makes requests of every kind, and compares what the server has counted of them.

usage: counted_requests.py NBD-SOCKET CONTROL-SOCKET
"""

import os
import time

import nbd
from control_client import CONTROL_SOCKET, Control, uri

control, client, M = Control(), nbd.NBD(), 1 << 20
client.add_meta_context("base:allocation")
client.connect_uri(uri())


def kinds(of): return {k: (v["requests"], v["bytes"], v["errors"]) for k, v in of["kinds"].items()
                       if v["requests"]}


def look():
    all = control.call("statistics")
    for each in all["exports"] + all["devices"]:
        for kind, of in each["kinds"].items():
            assert sum(of["latency"]) <= of["requests"], (each, kind)
            assert len(of["latency"]) == len(all["latency_bounds_s"]) + 1, kind
    vol, idle = all["exports"]
    assert not kinds(idle) and idle["generation"] == 1 and vol["connections"] == 1, all
    return vol, {os.path.basename(d["device"]): d for d in all["devices"]}, all["server"]


def work():
    for number in range(100):
        client.pwrite(b"x" * 4096, number * 4096)          # a
        client.pread(4096, number * 4096)
    for number in range(30):
        client.pwrite(b"x" * 8192, 4 * M - 4096)           # a and b
        client.pread(8192, 4 * M - 4096)
    client.flush()
    client.zero(5000, 6 * M)                               # b
    client.trim(4096, 7 * M)
    client.cache(4096, 7 * M)
    client.block_status(1 << 20, 6 * M, lambda *_: 0)


def settled(last_kind, requests):
    """What there is when the last request is counted, which is when its reply has left."""
    deadline = time.monotonic() + 60
    while kinds((found := look())[0]).get(last_kind, (0,))[0] < requests:
        assert time.monotonic() < deadline, found
    return found


def expect(times):
    vol, devices, server = settled("block_status", times)
    wanted = {"read": (130, 130 * 4096 + 30 * 4096), "write": (130, 130 * 4096 + 30 * 4096),
              "flush": (1, 0), "trim": (1, 0), "write_zeroes": (1, 0), "cache": (1, 0),
              "block_status": (1, 0)}
    found = kinds(vol)
    assert {k: v[0] for k, v in found.items()} == {k: v[0] * times for k, v in wanted.items()}, found
    for kind in "read", "write":
        assert found[kind] == (*(n * times for n in wanted[kind]), 0), found
    session, = control.call("session.list")["sessions"]
    assert session["requests"] == 265 * times and session["errors"] == 0, session
    assert session["bytes_read"] == session["bytes_written"] == 160 * 4096 * times, session
    writes = {name: kinds(d).get("write", (0, 0, 0))[:2] for name, d in devices.items()}
    wanted = {"a.img": (130 * times, 130 * 4096 * times), "b.img": (30 * times, 30 * 4096 * times),
              "c.img": (0, 0)}
    assert writes == wanted, (writes, wanted)
    for name in "a.img", "b.img":
        of = devices[name]
        reads, through = of["kinds"]["read"]["requests"], of["cached_reads"]
        assert through <= reads and of["in_flight"] == 0, of
        assert reads >= wanted[name][0], (name, of)
    assert server["accepted"] == 1 and server["connections"] == 1, server

work()
expect(1)
table = control.call("export.table", name="vol")["segments"]
for each in table: del each["identity"]
control.call("export.load", name="vol", definition=table)
control.call("export.resume", name="vol")
work()
expect(2)
try: client.pread(4096, 8 * M - 1)
except nbd.Error: pass
text = control.call("metrics")["text"]
assert text.rstrip().endswith("# EOF") and 'export="vol"' in text, text[:500]
top = os.popen(f"{os.environ['INTERPOSECTL']} --socket {CONTROL_SOCKET} top --count 1 --interval 0.05 --devices").read()
assert "vol" in top and "idle" in top and "a.img" in top and "DEPTH" in top, top
