#!/usr/bin/python3
"""Swaps the tables of an export, at random moments, and checks what the server says of it.

usage: swap_tables.py NBD-SOCKET CONTROL-SOCKET EXPORT SWAPS SEED TABLE-FILE...

Each time another of the tables, in JSON, is loaded and resumed; sometimes it is suspended before
or after the loading, sometimes not flushed, and sometimes a loaded one is cleared or replaced.
"""

import json
import random
import sys
import time

from control_client import Control


def main():
    export, count, seed = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    tables = [json.load(open(name, encoding="utf-8")) for name in sys.argv[6:]]
    choice = random.Random(seed)
    control = Control()
    generation = control.status(export)["generation"]
    live, longest = None, 0.0

    def maybe_suspend():
        if choice.random() < 0.2:
            assert control.call("export.suspend", name=export)["suspended"]
            assert control.status(export)["state"] == "suspended"

    for turn in range(count):
        time.sleep(choice.random() * 0.02)
        following = choice.choice([table for table in tables if table is not live])
        if choice.random() < 0.1:
            control.call("export.load", name=export, definition=choice.choice(tables))
            if choice.random() < 0.5:
                assert control.call("export.clear", name=export)["cleared"]
        maybe_suspend()
        loaded = control.call("export.load", name=export, definition=following)
        assert loaded["inactive"]["segments"] == len(following["table"]), loaded
        maybe_suspend()
        # 0.9 s of nothing would be a lot; 60 is for a machine that has other things to do.
        done = control.call("export.resume", name=export, flush=choice.random() < 0.8, timeout_s=60)
        longest = max(longest, done["pause_s"])
        status = control.status(export)
        assert done["swapped"] and done["generation"] == generation + turn + 1, (turn, done)
        assert status["generation"] == done["generation"] and status["inactive"] is None, status
        assert status["segments"] == len(following["table"]) and status["state"] == "live", status
        live = following
    print(f"{count} swaps, the longest pause {longest * 1000:.1f} ms as the server tells it")


if __name__ == "__main__":
    main()
