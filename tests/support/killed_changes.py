#!/usr/bin/python3
"""Changes exports until the server is killed; then, with a new one, checks what is left of that.

usage: killed_changes.py NBD-SOCKET CONTROL-SOCKET change|check SEED TABLE-FILE...

What was answered is kept in answered.json, and what was asked for last too: of that either may be
found. Exports: "vol" swaps between the tables, "extra-N" are created and removed, their devices
are extra-N.img.
"""

import json
import os
import random
import sys
import time

from control_client import Control

EXTRAS = 4


def segments_of(table):
    return len(table["table"])


class Change:
    def __init__(self, seed, tables):
        self.choice = random.Random(seed)
        self.tables = tables
        self.control = Control()
        self.state = json.load(open("answered.json", encoding="utf-8"))

    def keep(self):
        with open("answered.new", "w", encoding="utf-8") as file:
            json.dump(self.state, file)
        os.rename("answered.new", "answered.json")

    def ask(self, key, value, method, **params):
        """Both are possible from when it is asked to when it is answered."""
        self.state[key] = [*self.state[key], value]
        self.keep()
        self.control.call(method, **params)
        self.state[key] = [value]
        self.keep()

    def swap(self):
        table = self.choice.choice(self.tables)
        many = segments_of(table)
        live = self.state["vol"][-1][0]
        self.ask("vol", [live, many], "export.load", name="vol", definition=table)
        if self.choice.random() < 0.7:
            self.ask("vol", [many, 0], "export.resume", name="vol")
        elif self.choice.random() < 0.3:
            self.ask("vol", [live, 0], "export.clear", name="vol")

    def create_or_remove(self):
        name = f"extra-{self.choice.randrange(EXTRAS)}"
        if self.state[name][-1]:
            self.ask(name, False, "export.remove", name=name)
            return
        definition = {"name": name, "table": [{"kind": "linear", "device": f"{name}.img"}]}
        self.ask(name, True, "export.create", definition=definition, folder=os.getcwd())

    def run(self):
        open("changing", "w").close()
        while True:
            self.swap()
            self.create_or_remove()


def check(tables):
    """And settles what was open."""
    control = Control()
    state = json.load(open("answered.json", encoding="utf-8"))
    exports = {each["name"]: each for each in control.call("export.list")["exports"]}
    vol = exports["vol"]
    found = [vol["segments"], vol["inactive"]["segments"] if vol["inactive"] else 0]
    assert found in state["vol"], f'vol: want one of {state["vol"]}, found {found}'
    assert found[0] in map(segments_of, tables), found
    state["vol"] = [found]
    for number in range(EXTRAS):
        name = f"extra-{number}"
        assert (name in exports) in state[name], f"{name}: want {state[name]}, found it otherwise"
        state[name] = [name in exports]
    with open("answered.json", "w", encoding="utf-8") as file:
        json.dump(state, file)


def main():
    what, seed = sys.argv[3], int(sys.argv[4])
    tables = [json.load(open(name, encoding="utf-8")) for name in sys.argv[5:]]
    if not os.path.exists("answered.json"):
        state = {"vol": [[segments_of(tables[0]), 0]]}
        state.update({f"extra-{number}": [False] for number in range(EXTRAS)})
        with open("answered.json", "w", encoding="utf-8") as file:
            json.dump(state, file)
    if what == "check":
        check(tables)
        return
    try:
        Change(seed, tables).run()
    except (ConnectionError, ValueError):
        time.sleep(0)  # it was killed, as is meant


if __name__ == "__main__":
    main()
