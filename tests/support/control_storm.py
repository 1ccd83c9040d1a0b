#!/usr/bin/python3
"""Many who change the same exports at once, with every verb there is, each refused or done.

usage: control_storm.py NBD-SOCKET CONTROL-SOCKET CALLS SEED TABLE-FILE...

"vol" is swapped between the tables; "extra-N", over extra-N.img, come and go. In the end "vol" is
live again and nothing is loaded or left.
"""

import json
import os
import random
import sys
import threading

from control_client import Control

PEERS, EXTRAS = 6, 3
ALLOWED = (1, 2, 4)  # not found, refused, and a device that another export has just now
failures = []


class Peer:
    def __init__(self, seed, calls, tables):
        self.choice = random.Random(seed)
        self.calls, self.tables = calls, tables
        self.control = Control()
        self.answers = {}

    def extra(self):
        return f"extra-{self.choice.randrange(EXTRAS)}"

    def request(self):
        chance = self.choice
        name = "vol" if chance.random() < 0.7 else self.extra()
        table = chance.choice(self.tables)
        loads = table if name == "vol" else [{"kind": "linear", "device": f"{name}.img"}]
        return chance.choice((
            ("export.load", {"name": name, "definition": loads, "folder": os.getcwd()}),
            ("export.load", {"name": name, "definition": loads, "folder": os.getcwd()}),
            ("export.resume", {"name": name, "flush": chance.random() < 0.5}),
            ("export.resume", {"name": name}),
            ("export.suspend", {"name": name, "flush": chance.random() < 0.5}),
            ("export.clear", {"name": name}),
            ("export.qos", {"name": name, "qos": {"iops": chance.choice((0, 1000000))}}),
            ("export.create", {"folder": os.getcwd(), "definition": {
                "name": (new := self.extra()),
                "table": [{"kind": "linear", "device": f"{new}.img"}]}}),
            ("export.remove", {"name": self.extra(),
                               "clients": chance.choice(("refuse", "drain", "disconnect"))}),
            ("export.drain", {"name": "vol", "on": chance.random() < 0.5}),
            ("export.reopen", {"name": name}),
            ("export.resize", {"name": name}),
            ("reload", {"runtime": "runtime"}),
            ("reload", {"runtime": "configuration"}),
            ("export.status", {}),
            ("export.table", {"name": name, "slot": chance.choice(("live", "inactive"))}),
            ("session.list", {}),
            ("statistics", {}),
            ("trace", {"export": name, "on": False}),
            ("wait", {"event": "any", "timeout_s": 0.05}),
        ))

    def run(self):
        for _ in range(self.calls):
            method, params = self.request()
            code, message = self.control.code(method, params)
            self.answers[code] = self.answers.get(code, 0) + 1
            if code not in (0, *ALLOWED, *((5,) if method == "wait" else ())):
                failures.append(f"{method} {params}: {code}: {message}")


def main():
    calls, seed = int(sys.argv[3]), int(sys.argv[4])
    tables = [json.load(open(name, encoding="utf-8")) for name in sys.argv[5:]]
    peers = [Peer(seed * 100 + number, calls, tables) for number in range(PEERS)]
    threads = [threading.Thread(target=peer.run, daemon=True) for peer in peers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
        assert not thread.is_alive(), "a request is not answered"
    control = Control()
    control.call("export.resume", name="vol")
    control.call("export.drain", name="vol", on=False)
    control.call("reload", runtime="configuration")
    status = control.call("export.list")["exports"]
    assert [each["name"] for each in status] == ["vol"], status
    assert (status[0]["state"], status[0]["changed"], status[0]["inactive"]) == ("live", False, None)
    print({code: sum(peer.answers.get(code, 0) for peer in peers) for code in range(0, 9)})
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
