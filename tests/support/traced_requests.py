#!/usr/bin/python3
"""Makes requests of every kind, traced and not, and reads of them in server.log.

usage: traced_requests.py NBD-SOCKET CONTROL-SOCKET URI-OF-A-TCP-CLIENT
"""

import re
import sys
import time

import nbd
from control_client import Control, uri

control = Control()


def connected(to):
    client = nbd.NBD()
    client.add_meta_context("base:allocation")
    client.connect_uri(to)
    return client

marks = 0


def traced(act, end):
    """The lines that `act` brings: up to one that the request `end` brings for certain."""
    global marks
    log = open("server.log", encoding="utf-8")
    log.seek(0, 2)
    act()
    marks += 1
    end(marks)
    wanted, text, until = f"at {marks * 512} length 7 ", "", time.monotonic() + 60
    while not re.search(wanted + ".*\n(.*\n)*.*answered", text):
        assert time.monotonic() < until, f"not logged: {wanted}: {text}"
        text += log.read()
        time.sleep(0.01)
    return [line for line in text.splitlines() if " trace: " in line and wanted not in line]

one, two, tcp, other = (connected(to) for to in (uri(), uri(), sys.argv[3], uri("other")))
numbers = [s["session"] for s in control.call("session.list")["sessions"]]


def work():
    for client in one, two, tcp, other:
        client.pwrite(b"x" * 5000, 1000, nbd.CMD_FLAG_FUA)
        client.pread(300000, 4096)
        client.flush()
        client.zero(512, 512)
        client.trim(512, 1024)
        client.cache(4096, 0)
        client.block_status(8192, 0, lambda *_: 0)


def check(sessions, lines):
    found = {int(number) for number in re.findall(r"session (\d+) ", "\n".join(lines))}
    assert found == set(sessions), (found, sessions, lines)
    words = ("write at 1000 length 5000 flags 1", "read at 4096 length 300000 ", "flush at 0 length 0",
             "write zeroes at 512 length 512 ", "trim at 1024 length 512 ", "cache at 0 length 4096",
             "block status at 0 length 8192")
    for word in words:
        assert sum(word in line for line in lines) == len(sessions), (word, lines)
    answered = [line for line in lines if re.search(r"cookie \d+ answered after \d+ us", line)]
    assert len(answered) in (len(lines) // 2, len(lines) // 2 + 1), lines


def mark(client): return lambda number: client.pread(7, number * 512)
assert control.call("trace", session=numbers[1])["sessions"] == 1
check([numbers[1]], traced(work, mark(two)))
assert control.call("trace", session=numbers[1], on=False)["sessions"] == 1
assert control.call("trace", client="127.0.0.1")["sessions"] == 1
check([numbers[2]], traced(work, mark(tcp)))
assert control.call("trace", client="127.0.0.1", on=False)["sessions"] == 1
assert control.call("trace", export="vol")["sessions"] == 3
assert control.status()["tracing"] and not control.status("other")["tracing"]
check(numbers[:3], traced(work, mark(one)))
one = connected(uri())
late = max(s["session"] for s in control.call("session.list")["sessions"])
check([late, *numbers[1:3]], traced(work, mark(one)))
assert control.call("trace", export="vol", on=False)["sessions"] >= 3
assert control.call("trace", export="other")["sessions"] == 1
check([numbers[3]], traced(work, mark(other)))
