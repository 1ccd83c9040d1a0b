#!/usr/bin/env python3
"""Opens sockets, passes them as a service manager does, and becomes the command.

usage: pass_sockets.py [--unnamed] KIND:ADDRESS[=NAME]... -- COMMAND...

KIND is tcp (ADDRESS is a port of 127.0.0.1), unix or idle (a path; idle is not listened on) or
datagram (a path).
"""

import os
import socket
import sys


def opened(kind, address):
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    made.bind(("127.0.0.1", int(address)) if kind == "tcp" else address)
    if kind in ("tcp", "unix"):
        made.listen()
    return made


def main():
    at = sys.argv.index("--")
    wanted, command = sys.argv[1:at], sys.argv[at + 1 :]
    unnamed = "--unnamed" in wanted
    names, sockets = [], []
    for each in wanted:
        if each == "--unnamed":
            continue
        what, _, name = each.partition("=")
        kind, _, address = what.partition(":")
        names.append(name)
        sockets.append(opened(kind, address))
    above = 3 + len(sockets)
    moved = [os.dup(each.fileno()) for each in sockets]
    while any(fd < above for fd in moved):
        moved = [os.dup(fd) for fd in moved]
    for number, fd in enumerate(moved):
        os.dup2(fd, 3 + number, inheritable=True)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(sockets))
    if not unnamed:
        os.environ["LISTEN_FDNAMES"] = ":".join(names)
    os.execvp(command[0], command)


main()
