"""Several connections: MX."""

from __future__ import annotations

import wire
from client import Unmet
from suite import Server, pattern, scenario
from wire import SECTOR

CONNECTIONS = 4


@scenario("MX-01", "FLUSH on one connection follows WRITEs on the others")
def flush_elsewhere(server: Server) -> None:
    needs = wire.FLAG_CAN_MULTI_CONN | wire.FLAG_SEND_FLUSH
    clients = [server.enter(needs=needs) for _ in range(CONNECTIONS)]
    for turn, c in enumerate(clients):
        c.expect_ok(wire.CMD_WRITE, turn * 4096, payload=pattern(4096, turn))
    clients[0].expect_ok(wire.CMD_FLUSH)
    for turn, c in enumerate(clients):
        c.expect_data(turn * 4096, pattern(4096, turn))


@scenario("MX-02", "what one connection has written every other one reads")
def read_after_write(server: Server) -> None:
    clients = [server.enter(needs=wire.FLAG_CAN_MULTI_CONN) for _ in range(CONNECTIONS)]
    for turn in range(50):
        flags = wire.CMD_FLAG_FUA if turn % 2 and clients[0].flags & wire.FLAG_SEND_FUA else 0
        data = pattern(4096, turn)
        writer = clients[turn % CONNECTIONS]
        writer.expect_ok(wire.CMD_WRITE, 8192, flags=flags, payload=data)
        for reader in clients:
            reader.expect_data(8192, data)


@scenario("MX-03", "what one connection has written has no status of zero on another")
def status_after_write(server: Server) -> None:
    needs = wire.FLAG_CAN_MULTI_CONN | wire.FLAG_SEND_WRITE_ZEROES
    writer, reader = (server.enter(structured=True, contexts=["base:allocation"], needs=needs)
                      for _ in range(2))
    for turn in range(10):
        offset = turn * 65536
        writer.expect_ok(wire.CMD_WRITE_ZEROES, offset, 65536)
        reader.expect_ok(wire.CMD_BLOCK_STATUS, offset, 65536)
        writer.expect_ok(wire.CMD_WRITE, offset, payload=pattern(65536, turn))
        reply = reader.expect_ok(wire.CMD_BLOCK_STATUS, offset, 65536)
        for _, status in next(iter(reply.status.values()))[:1]:
            if status & wire.STATE_ZERO:
                raise Unmet("the status of data", f"{status:#x}")
        reader.expect_data(offset, pattern(65536, turn))


@scenario("MX-04", "of two writes at once each sector has one")
def racing_writes(server: Server) -> None:
    first, second = (server.enter(needs=wire.FLAG_CAN_MULTI_CONN) for _ in range(2))
    for _ in range(20):
        sent = [(c, c.begin(wire.CMD_WRITE, 0, payload=fill * 65536))
                for c, fill in ((first, b"1"), (second, b"2"))]
        for c, request in sent:
            if c.finish([request])[0].error:
                raise Unmet("success of each WRITE", "an error")
        found = bytes(first.expect_ok(wire.CMD_READ, 0, 65536).data)
        for at in range(0, 65536, SECTOR):
            if found[at:at + SECTOR] not in (b"1" * SECTOR, b"2" * SECTOR):
                raise Unmet("one of the two writes in each sector", f"both at {at}")
