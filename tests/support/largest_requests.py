#!/usr/bin/python3
"""Requests of 32 MiB, and of one byte more, whose payload must not be taken for requests.

usage: largest_requests.py URI simple|structured|extended...
"""

import sys

sys.dont_write_bytecode = True

from raw_client import enter, wire  # noqa: E402
from suite import pattern  # noqa: E402

MOST = 32 << 20


def try_framing(uri, framing, turn):
    """One connection; what it has written stays where it is."""
    c = enter(uri, **{} if framing == "simple" else {framing: True})
    assert c.block_size.maximum == MOST
    offset = 12345 + turn
    data = pattern(1 << 20, turn) * 32
    c.expect_ok(wire.CMD_WRITE, offset, payload=data, flags=turn % 2 * wire.CMD_FLAG_FUA)
    c.expect_data(offset, data)
    for length in (MOST + 1, 33 << 20):
        c.expect(wire.EINVAL, wire.CMD_READ, 0, length)
        c.expect_alive()
    too_much = wire.compact_request(wire.CMD_WRITE, 7, offset, 512) * (2 << 20)
    sent = c.begin(wire.CMD_WRITE, offset, payload=too_much[:(MOST + 1, 33 << 20)[turn % 2]])
    if framing == "extended":
        c.expect_closed("the payload is too large")
    else:
        assert c.finish([sent])[0].error == wire.EINVAL
        c.expect_data(offset, data)
    return offset, data


def main():
    uri, *framings = sys.argv[1:]
    bystander = enter(uri)
    for turn, framing in enumerate(framings):
        offset, data = try_framing(uri, framing, turn)
        bystander.expect_data(offset, data)


if __name__ == "__main__":
    main()
