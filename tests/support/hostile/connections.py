#!/usr/bin/python3
"""As many connections as a server takes, of a client and in all, and clients that come no further
than the handshake. The server's limits are 8, 4 and a second.

usage: connections.py PID TCP-URI UNIX-URI
"""

import select
import sys

from attack import (MIB, Client, connect, descriptors, enter, enter_from, eventually,
                    expect_all_gone, link_of, wire)
from client import Closed

EACH, ALL = 4, 8
HALF_AN_OPTION = wire.option(wire.OPT_LIST)[:7]


def turned_away(arrive) -> bool:
    """Whether a newcomer is closed at once, without a greeting."""
    try:
        arrive().disconnect()
    except (Closed, ConnectionError):
        return True
    return False


def fill_up(tcp: str, unix: str) -> list[Client]:
    """Each client up to its limit, and all up to theirs: who is over goes, who is in stays."""
    clients = [enter_from("127.0.0.1", tcp) for _ in range(EACH)]
    assert turned_away(lambda: enter_from("127.0.0.1", tcp)), "one client has five connections"
    clients += [enter_from("127.0.0.2", tcp) for _ in range(ALL - EACH)]
    for newcomer in (lambda: enter_from("127.0.0.3", tcp), lambda: enter(unix)):
        assert turned_away(newcomer), "there are nine connections"
    for client in clients:
        client.expect_alive()
    return clients


def expect_slots_come_back(clients: list[Client], tcp: str, unix: str) -> None:
    """Who leaves makes room for whoever comes."""
    clients.pop(0).disconnect()
    eventually("room for another", lambda: not turned_away(lambda: enter_from("127.0.0.3", tcp)))
    clients.pop().close()
    eventually("room on the Unix socket", lambda: not turned_away(lambda: enter(unix)))
    for client in clients:
        client.expect_alive()


def idlers(uri: str) -> tuple[list[Client], list[Client]]:
    """Clients that say nothing more, and such that go on a byte at a time."""
    silent = [connect(uri), connect(uri).greet(), connect(uri).greet()]
    silent[0].greeting()
    silent[1].send(HALF_AN_OPTION)
    silent[2].option(wire.OPT_LIST, b"half of it", length=MIB)
    trickling = [connect(uri).greet()]
    trickling[0].option(0x5EED, length=MIB)
    return silent, trickling


def wait_until_closed(silent: list[Client], trickling: list[Client]) -> None:
    """All of them are sent away, whatever they still send."""
    left = {link_of(client): client for client in silent + trickling}
    while left:
        for client in trickling:
            if link_of(client) in left:
                client.send(b"x")
        for link in select.select(list(left), [], [], 0.05)[0]:
            left.pop(link).expect_closed("no export was chosen")


def main() -> None:
    pid, tcp, unix = int(sys.argv[1]), *sys.argv[2:4]
    base = descriptors(pid)
    for _ in range(3):
        clients = fill_up(tcp, unix)
        expect_slots_come_back(clients, tcp, unix)
        for client in clients:
            client.close()
        expect_all_gone(pid, base)
    patient = enter_from("127.0.0.2", tcp)
    for uri in (tcp, unix):
        eventually("room for idlers", lambda: descriptors(pid) == base + 1)
        wait_until_closed(*idlers(uri))
    patient.expect_alive()  # the deadline is only of the handshake
    patient.close()
    expect_all_gone(pid, base)


if __name__ == "__main__":
    main()
