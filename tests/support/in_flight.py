#!/usr/bin/python3
"""Keeps requests in flight, 16 on each of 12 connections, until every one has been answered.

usage: in_flight.py URI read|write

Makes the file "sent" when all of them have been sent. Fails if one of them does.
"""

import sys

import nbd


def answered(error):
    assert error.value == 0, f"a request failed: {error.value}"
    return 1


def send(client, kind, number):
    if kind == "read":
        client.aio_pread(nbd.Buffer(4096), number << 18, answered)
    else:
        client.aio_pwrite(nbd.Buffer.from_bytearray(bytearray(b"x" * 4096)), number << 12, answered)


def main():
    uri, kind = sys.argv[1:]
    clients = []
    for first in range(0, 12 * 16, 16):
        client = nbd.NBD()
        client.connect_uri(uri)
        for number in range(first, first + 16):
            send(client, kind, number)
        clients.append(client)
    open("sent", "w").close()
    for client in clients:
        while client.aio_in_flight():
            client.poll(-1)


if __name__ == "__main__":
    main()
