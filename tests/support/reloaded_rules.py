#!/usr/bin/python3
"""Clients that are connected while the rules of their export and their listener change.

usage: reloaded_rules.py NBD-SOCKET CONTROL-SOCKET PORT CONFIG
"""

import json
import sys

import nbd
import raw_client
from control_client import Control, Refused, uri
from what_may import connect, what_may

PORT, CONFIG = sys.argv[3:]
TCP = f"nbd://127.0.0.1:{PORT}/vol"
control = Control()


def reload(allow=None, listener=None):
    """Once it is answered, the new rules hold."""
    with open(CONFIG, encoding="utf-8") as file:
        wanted = json.load(file)
    for place, rules in (wanted["exports"][0], allow), (wanted["listen"][1], listener):
        place.pop("allow", None)
        if rules:
            place["allow"] = rules
    with open(CONFIG, "w", encoding="utf-8") as file:
        json.dump(wanted, file)
    return control.call("reload")


def is_out(client):
    try:
        client.pread(512, 0)
        return False
    except nbd.Error:
        return True


def comers():
    """What those may do who come now."""
    found = {}
    for name, source in ("first", "127.0.0.1"), ("second", "127.0.0.2"):
        try:
            found[name] = what_may(connect(TCP, source))
        except nbd.Error:
            found[name] = "out"
    return found


clients = {"unix": connect(uri()), "first": connect(TCP, "127.0.0.1"),
           "second": connect(TCP, "127.0.0.2")}
assert [what_may(each) for each in clients.values()] == ["read-write"] * 3

# Of the export: one stays, one may only read, one is turned out.
reload(["unix", {"address": "127.0.0.1", "access": "read_only"}])
assert is_out(clients["second"])
try:
    clients["first"].pwrite(bytes(512), 0)
    raise AssertionError("a client wrote that may only read")
except nbd.Error as why:
    assert why.errnum == 1, why
clients["unix"].pwrite(bytes(512), 0)
assert comers() == {"first": "read-only", "second": "out"}, comers()
told = {s["client"].partition(":")[0].partition(" ")[0]: s["read_only"]
        for s in control.call("session.list", export="vol")["sessions"]}
assert told["unix"] is False and told["127.0.0.1"] is True, told

# What cannot be is not done, in no part.
try:
    reload([{"user": "no-such-user"}])
    raise AssertionError("a user was accepted that there is not")
except Refused as why:
    assert why.data["faults"][0]["path"] == "exports[0].allow[0].user", why.data
clients["unix"].pwrite(bytes(512), 0)
assert comers() == {"first": "read-only", "second": "out"}, comers()

# More than before is for those who come again.
reload()
assert comers() == {"first": "read-write", "second": "read-write"}, comers()
clients["unix"].pwrite(bytes(512), 0)
clients["first"].pread(512, 0)
try:
    clients["first"].pwrite(bytes(512), 0)
    raise AssertionError("a client wrote that was told that it may only read")
except nbd.Error as why:
    assert why.errnum == 1, why

# Of the listener: also who has not chosen an export goes.
haggling = raw_client.Server(raw_client.Export("", 0, raw_client.Address(
    ("127.0.0.1", int(PORT)))), raw_client.PATIENCE_S).haggle()
done = reload(listener=["127.0.0.2"])
assert not done["listeners_added"] and not done["listeners_removed"], done
haggling.expect_closed("its listener is for others now")
assert is_out(clients["first"])
clients["unix"].pwrite(bytes(512), 0)
assert comers() == {"first": "out", "second": "read-write"}, comers()
reload(listener=[{"address": "127.0.0.0/8", "access": "read_only"}])
assert comers() == {"first": "read-only", "second": "read-only"}, comers()
reload()
assert comers() == {"first": "read-write", "second": "read-write"}, comers()
