#!/usr/bin/env python3
"""Checks what a server whose device has failed three reads has told the journal.

usage: check_entries.py ENTRIES
"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    entries = [json.loads(line) for line in file]
assert all(each["SYSLOG_IDENTIFIER"] == "interposed" for each in entries), entries
failed = [each for each in entries if each["PRIORITY"] == "3"]
assert len(failed) == 3, entries
for each in failed:
    assert each["INTERPOSED_EXPORT"] == "vol" and each["INTERPOSED_SESSION"] == "1", each
    assert each["INTERPOSED_CLIENT"].startswith("unix pid "), each
    assert each["INTERPOSED_DEVICE"].endswith("/short.img"), each
    assert "Input/output error" in each["MESSAGE"], each
started = [each for each in entries if each["MESSAGE"].startswith("listening on")]
assert [set(each) for each in started] == [{"PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE"}], started
