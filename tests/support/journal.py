#!/usr/bin/env python3
"""Stands in for systemd's journal, at its path: runs a command whose stderr it has, until it ends.

usage: journal.py STDERR ENTRIES COMMAND...

STDERR is a file for what is written to stderr as it is, ENTRIES for entries, one JSON object a line.
Is to be run where /run is its own: see tests/system/service-journal.sh.
"""

import json
import os
import select
import socket
import subprocess
import sys


def fields_of(entry):
    """Of the protocol's two ways to write a field only the one with "=" is used."""
    lines = entry.decode().split("\n")
    assert lines.pop() == "", "a field's line is whole"
    fields = [line.split("=", 1) for line in lines]
    assert all(len(field) == 2 for field in fields), lines
    assert len({name for name, _ in fields}) == len(fields), lines
    return dict(fields)


def main():
    os.makedirs("/run/systemd/journal")
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind("/run/systemd/journal/socket")
    with open(sys.argv[1], "wb") as stderr, open(sys.argv[2], "w", encoding="utf-8") as entries:
        found = os.fstat(stderr.fileno())
        environment = dict(os.environ, JOURNAL_STREAM=f"{found.st_dev}:{found.st_ino}")
        command = subprocess.Popen(sys.argv[3:], stderr=stderr, env=environment)
        ended = os.pidfd_open(command.pid)
        while True:
            ready, _, _ = select.select([journal, ended], [], [])
            if journal in ready:
                print(json.dumps(fields_of(journal.recv(1 << 20))), file=entries, flush=True)
            else:
                sys.exit(command.wait())


main()
