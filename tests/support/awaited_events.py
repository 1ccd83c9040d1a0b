#!/usr/bin/python3
"""Brings about each event, and has it awaited in every way.

usage: awaited_events.py NBD-SOCKET CONTROL-SOCKET PID
"""

import os
import signal
import socket
import sys

import nbd
from control_client import Control, uri

control = Control()
table = [{"kind": "linear", "device": os.path.abspath("vol.img")}]
made = {"name": "made", "table": [{"kind": "linear", "device": os.path.abspath("made.img")}]}
open("made.img", "wb").truncate(1 << 20)


def tells(event, export, act, of):
    """Three wait: for this of this export, having said that it will ask for nothing more; for this of
    any; and for anything; and one in vain."""
    waiters = [Control() for _ in range(3)]
    wishes = ({"event": event, "export": of}, {"event": event}, {"event": "any"})
    for waiter, wish in zip(waiters, wishes):
        waiter.ask("wait", wish)
        waiter.ask("version")
        assert "protocol" in waiter.answer()["result"]
    waiters[0].socket.shutdown(socket.SHUT_WR)
    vain = Control()
    vain.ask("wait", event=event, export="nobody")
    vain.ask("version")
    vain.answer()
    result = act()
    for waiter in waiters[:2]:
        answer = waiter.answer()["result"]
        assert (answer["event"], answer["export"]) == (event, of), (answer, event)
    assert waiters[2].answer()["result"]["event"]
    vain.socket.setblocking(False)
    try: raise SystemExit(f"{event} of {of}: told to who did not ask: {vain.socket.recv(999)}")
    except BlockingIOError: pass
    return result


def call(method, **params): return lambda: control.call(method, params)
client = nbd.NBD()
tells("connected", "vol", lambda: client.connect_uri(uri()), "vol")
tells("loaded", "vol", call("export.load", name="vol", definition=table), "vol")
tells("swapped", "vol", call("export.resume", name="vol"), "vol")
tells("suspended", "vol", call("export.suspend", name="vol"), "vol")
assert control.call("wait", event="suspended", export="vol")["event"] == "suspended"
tells("resumed", "vol", call("export.resume", name="vol"), "vol")
control.call("export.drain", name="vol")
tells("drained", "vol", client.shutdown, "vol")
control.call("export.drain", name="vol", on=False)
client = nbd.NBD()
client.connect_uri(uri())
tells("disconnected", "vol", client.shutdown, "vol")
tells("created", "made", call("export.create", definition=made), "made")
tells("removed", "made", call("export.remove", name="made"), "made")
tells("reloaded", None, lambda: os.kill(int(sys.argv[3]), signal.SIGHUP), None)
