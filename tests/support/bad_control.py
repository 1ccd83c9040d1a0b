#!/usr/bin/python3
"""What no well-behaved client sends to the control socket.

usage: bad_control.py NBD-SOCKET CONTROL-SOCKET PID

Serves "vol", which has clients. Nothing of this changes anything.
"""

import itertools
import json
import socket
import sys
import time

from control_client import Control, descriptors

PARSE, REQUEST, METHOD, PARAMS = -32700, -32600, -32601, -32602
NOT_FOUND, REFUSED, DEFINITION, TIMEOUT = 1, 2, 3, 5
ONE = {"kind": "linear", "device": "/x"}
# Each method: what it takes, and a right value of each; those that it must have come first.
METHODS = {
    "version": ({}, {}),
    "export.list": ({}, {}),
    "export.status": ({}, {"name": "vol"}),
    "export.table": ({"name": "vol"}, {"slot": "live"}),
    "export.create": ({"definition": {"name": "c", "table": [ONE]}}, {"file": "f", "folder": "/"}),
    "export.remove": ({"name": "vol"}, {"clients": "refuse"}),
    "export.load": ({"name": "vol", "definition": [ONE]}, {"file": "f", "folder": "/"}),
    "export.clear": ({"name": "vol"}, {}),
    "export.suspend": ({"name": "vol"}, {"flush": True, "timeout_s": 5}),
    "export.resume": ({"name": "vol"}, {"flush": True, "timeout_s": 5}),
    "export.resize": ({"name": "vol"}, {"size": 1 << 22}),
    "export.reopen": ({"name": "vol"}, {}),
    "export.drain": ({}, {"name": "vol", "on": False}),
    "export.qos": ({"name": "vol", "qos": {"iops": 0}}, {}),
    "session.list": ({}, {"export": "vol"}),
    "session.disconnect": ({"session": 1 << 60}, {"how": "orderly"}),
    "trace": ({"session": 1 << 60}, {"on": False}),
    "log": ({}, {"level": "info", "format": "text"}),
    "reload": ({}, {"removed": "refuse", "runtime": "refuse"}),
    "statistics": ({}, {}),
    "metrics": ({}, {}),
    "wait": ({"event": "removed", "timeout_s": 0.01}, {"export": "vol"}),
}
WORDS = ("slot", "clients", "how", "level", "format", "removed", "runtime", "event")
SECONDS = ("timeout_s",)

failures = []


def expect(control, wanted, method, params):
    code, message = control.code(method, params)
    if code != wanted or not message:
        failures.append(f"{method} {params}: want {wanted}, found {code}: {message}")


def wrong_values(key, right):
    if key == "definition":
        return (7, True, {"nothing": 1}, [], "", "}", "nonsense", [3])
    wrong = [value for value in (7.5, -1, True, "x", [], {}, "") if type(value) is not type(right)]
    if isinstance(right, str):
        wrong = [7, True, [], {}]
        if key in WORDS:
            wrong += ["", "nonsense", "LIVE"]
    if key in SECONDS:
        wrong = [0, -1, "5", True, 1e300, []]
    if key == "qos":
        wrong = [7, "x", [], {"iopz": 1}, {"iops": -1}, {"iops": "7"}, {"iops": 1.5}, {"iops": 1e30}]
    if key == "folder":
        wrong += ["relative", ""]
    return wrong


def check_params(control):
    for method, (needed, optional) in METHODS.items():
        for key in needed:
            less = {**needed}
            del less[key]
            if key != "timeout_s":
                expect(control, PARAMS, method, less)
        for key, right in {**needed, **optional}.items():
            for wrong in wrong_values(key, right):
                code = DEFINITION if key == "definition" else PARAMS
                expect(control, code, method, {**needed, key: wrong})
        expect(control, PARAMS, method, {**needed, "nonsense": 1})
        for params in ([], [1], "x", 7, True):
            control.send(json.dumps({"jsonrpc": "2.0", "id": 0, "method": method,
                                     "params": params}).encode() + b"\n")
            answer = control.answer()
            assert answer["error"]["code"] == PARAMS, (method, params, answer)
        if "name" in needed:
            expect(control, NOT_FOUND, method, {**needed, "name": "absent"})
        elif "name" in optional:
            expect(control, NOT_FOUND, method, {"name": "absent"})
    expect(control, NOT_FOUND, "session.list", {"export": "absent"})
    expect(control, NOT_FOUND, "session.disconnect", {"session": 1 << 60})
    expect(control, NOT_FOUND, "session.disconnect", {"export": "absent"})
    for both in ({"session": 1, "export": "vol"}, {"export": "vol", "client": "::1"}, {}):
        expect(control, PARAMS, "session.disconnect", both)
        expect(control, PARAMS, "trace", both)
    expect(control, METHOD, "nonsense", {})
    expect(control, METHOD, "", {})
    expect(control, REFUSED, "export.remove", {"name": "vol"})
    expect(control, TIMEOUT, "wait", {"event": "any", "export": "absent", "timeout_s": 0.01})


def answers_to(line, wanted=1):
    """So many, and what else there is before a further request is answered."""
    control = Control()
    control.send(line + b'\n{"jsonrpc":"2.0","id":"last","method":"version"}\n')
    answers = []
    last = False
    while not last or len(answers) < wanted:
        answer = control.answer()
        if isinstance(answer, dict) and answer["id"] == "last":
            last = True
        else:
            answers.append(answer)
    return answers


def request(method, number=None, **more):
    of = {"jsonrpc": "2.0", "method": method, **more}
    return of if number is None else {**of, "id": number}


def check_messages():
    for line in (b"nonsense", b"{", b'"', b"\x00", b"\xff\xfe", b'{"a":1}}', b"[1,", b"1e999999",
                 b'{"jsonrpc":"2.0","id":1,"method":"version","params":{"\xff":1}}'):
        (answer,) = answers_to(line)
        assert answer["error"]["code"] == PARSE and answer["id"] is None, (line, answer)
    good = {"jsonrpc": "2.0", "id": 1, "method": "version"}
    for wrong in (1, None, "x", True, {}, {**good, "jsonrpc": 2.0}, {**good, "jsonrpc": "1.0"},
                  {**good, "method": 1}, {**good, "id": []}, {**good, "id": {}}, {**good, "id": True},
                  []):
        (answer,) = answers_to(json.dumps(wrong).encode())
        assert answer["error"]["code"] == REQUEST, (wrong, answer)
    for number in (0, -1, 1.5, "x", "", 1 << 62, None):
        (answer,) = answers_to(json.dumps({**good, "id": number}).encode())
        assert answer["id"] == number and answer["result"]["protocol"] == 1, answer
    # Notifications have no answer, whatever becomes of them.
    for silent in (request("version"), request("nonsense"), request("export.remove", params={})):
        assert not answers_to(json.dumps(silent).encode(), 0)
    assert not answers_to(json.dumps([request("version"), request("log")]).encode(), 0)
    (batch,) = answers_to(json.dumps([request("version", 1), request("log"), 7,
                                      request("nonsense", "b"), request("version", 2)]).encode())
    found = [(a["id"], a.get("error", {}).get("code")) for a in batch]
    assert sorted(found, key=str) == sorted([(1, None), (None, REQUEST), ("b", METHOD), (2, None)],
                                            key=str), found
    for blank in (b"", b" ", b"\r", b"\t\t"):
        assert not answers_to(blank, 0)
    for deep in (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000,
                 json.dumps({**good, "params": {"x": 1}}).encode().replace(
                     b"1}}", b"[" * 50_000 + b"]" * 50_000 + b"}}")):
        (answer,) = answers_to(deep)
        answer = answer[0] if isinstance(answer, list) else answer
        assert answer["error"]["code"] in (PARSE, REQUEST, PARAMS), answer


def check_lengths():
    """A line of 60 MiB is taken, one of 65 is refused and ends the connection."""
    control = Control()
    control.send(b'{"jsonrpc":"2.0","id":1,"method":"export.clear","params":{"name":"'
                 + b"x" * (60 << 20) + b'"}}\n')
    answer = control.answer()
    assert answer["error"]["code"] == NOT_FOUND, str(answer)[:200]
    for end in (b"", b"\n"):
        control = Control()
        try:
            control.send(b'"' + b"x" * (65 << 20) + b'"' + end)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            line = control.line()
        except ConnectionResetError:
            line = b""
        assert not line or json.loads(line)["error"]["code"] == REQUEST, line[:200]
        assert control.ended()


def check_rude_peers(control):
    """They hold up nobody but themselves: `control` is answered all the time."""
    idle = [Control() for _ in range(20)]
    for peer in idle[:10]:
        peer.send(b'{"jsonrpc":"2.0","id":1,')
    many = b"".join(json.dumps(request("export.table", number, params={"name": "vol"})).encode()
                    + b"\n" for number in range(100))
    for peer in idle[10:]:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.socket.setblocking(False)
        for piece in itertools.repeat(many, 100):
            try:
                if peer.socket.send(piece) < len(piece):
                    break
            except BlockingIOError:
                break
    for _ in range(50):
        control.call("export.status")
    with Control().socket as other:
        other.sendall(many[:many.index(b"\n") + 1])
        assert other.recv(1)
    # And whoever goes while it is being answered, or waits for something, leaves nothing either.
    for peer in idle:
        peer.socket.close()
    for _ in range(20):
        with Control().socket as other:
            other.sendall(json.dumps(request("wait", 1, params={"event": "removed"})).encode()
                          + b"\n" + many)


def check_crowd(control):
    """More than may come at a time: the rest is turned away, and later there is room again."""
    crowd = []
    for _ in range(100):
        try:
            crowd.append(Control())
        except ConnectionError:
            break
    control.call("version")
    for each in crowd:
        each.socket.close()


def main():
    control = Control()
    control.call("version")
    before = descriptors(sys.argv[3])
    check_params(control)
    check_messages()
    check_lengths()
    check_rude_peers(control)
    check_crowd(control)
    end = time.monotonic() + 60
    while descriptors(sys.argv[3]) > before:
        assert time.monotonic() < end, f"want {before} descriptors, {descriptors(sys.argv[3])} left"
        time.sleep(0.05)
    control.call("version")
    Control().call("version")
    status = control.status()
    assert (status["generation"], status["inactive"], status["changed"]) == (1, None, False), status
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
