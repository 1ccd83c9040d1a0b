"""Requests in general: RQ."""

from __future__ import annotations

import wire
from client import Client, Closed, Unmet
from suite import MIB, NotOffered, Server, pattern, scenario
from wire import SECTOR

ALL_BITS = tuple(1 << bit for bit in range(16))
HUGE = ((1 << 64) - SECTOR, 2 * SECTOR), ((1 << 64) - SECTOR, SECTOR), ((1 << 64) - 1, 1), \
    (1 << 63, SECTOR), ((1 << 63) - SECTOR, 2 * SECTOR), ((1 << 64) - 4096, 8192)


def data_of(command: int, length: int) -> bytes:
    """The payload that a command needs."""
    return b"x" * length if command == wire.CMD_WRITE else b""


@scenario("RQ-01", "a wrong request magic ends the connection, without a word")
def wrong_magic(server: Server) -> None:
    c = server.enter()
    c.send(b"Q" * 28)
    c.expect_closed("28 times Q is no request")


@scenario("RQ-01", "so does the magic of a reply, or of the past")
def reserved_magic(server: Server) -> None:
    for magic in (wire.SIMPLE_REPLY_MAGIC, 0x12560953, 0x25609514, wire.EXTENDED_REQUEST_MAGIC):
        c = server.enter()
        c.send(wire.compact_request(wire.CMD_READ, 1, 0, SECTOR, magic=magic))
        c.expect_closed(f"{magic:#x} is not the magic of a request")


@scenario("RQ-02", "an unknown command gets EINVAL, and the connection goes on")
def unknown_command(server: Server) -> None:
    c = server.enter()
    for command in (77, 9, 0xFFFF):
        c.expect(wire.EINVAL, command, 0, SECTOR)
        c.expect_alive()


def expect_flags_refused(c: Client, command: int, documented: int) -> None:
    """Every other flag is EINVAL, and changes nothing."""
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(SECTOR))
    if not c.flags & wire.FLAG_SEND_FUA:
        documented &= ~wire.CMD_FLAG_FUA
    for flag in ALL_BITS:
        if flag & ~documented:
            c.expect(wire.EINVAL, command, 0, SECTOR, flag, payload=data_of(command, SECTOR))
            c.expect_data(0, pattern(SECTOR))


@scenario("RQ-03", "READ with a flag that it does not have gets EINVAL")
def flags_of_read(server: Server) -> None:
    expect_flags_refused(server.enter(), wire.CMD_READ, wire.CMD_FLAG_FUA | wire.CMD_FLAG_DF)


@scenario("RQ-03", "READ with DF where that is not offered gets EINVAL")
def unoffered_df(server: Server) -> None:
    c = server.enter()
    c.expect(wire.EINVAL, wire.CMD_READ, 0, SECTOR, wire.CMD_FLAG_DF)
    c.expect_alive()


@scenario("RQ-03", "WRITE with a flag that it does not have gets EINVAL")
def flags_of_write(server: Server) -> None:
    expect_flags_refused(server.enter(), wire.CMD_WRITE, wire.CMD_FLAG_FUA)


@scenario("RQ-03", "FLUSH with a flag that it does not have gets EINVAL")
def flags_of_flush(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FLUSH)
    for flag in ALL_BITS[1:]:
        c.expect(wire.EINVAL, wire.CMD_FLUSH, flags=flag)
        c.expect_alive()


@scenario("RQ-03", "TRIM with a flag that it does not have gets EINVAL")
def flags_of_trim(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_TRIM)
    expect_flags_refused(c, wire.CMD_TRIM, wire.CMD_FLAG_FUA)


@scenario("RQ-03", "WRITE_ZEROES with a flag that it does not have gets EINVAL")
def flags_of_write_zeroes(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_WRITE_ZEROES)
    documented = wire.CMD_FLAG_FUA | wire.CMD_FLAG_NO_HOLE | wire.CMD_FLAG_FAST_ZERO
    expect_flags_refused(c, wire.CMD_WRITE_ZEROES, documented)


@scenario("RQ-03", "BLOCK_STATUS with a flag that it does not have gets EINVAL")
def flags_of_block_status(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"])
    documented = wire.CMD_FLAG_FUA | wire.CMD_FLAG_REQ_ONE
    expect_flags_refused(c, wire.CMD_BLOCK_STATUS, documented)


@scenario("RQ-04", "FUA is accepted on every command")
def fua_everywhere(server: Server) -> None:
    c = server.enter(needs=wire.FLAG_SEND_FUA)
    c.expect_ok(wire.CMD_READ, 0, SECTOR, wire.CMD_FLAG_FUA)
    c.expect_ok(wire.CMD_WRITE, 0, 0, wire.CMD_FLAG_FUA, payload=b"x" * SECTOR)
    for flag, command in ((wire.FLAG_SEND_FLUSH, wire.CMD_FLUSH),
                          (wire.FLAG_SEND_CACHE, wire.CMD_CACHE),
                          (wire.FLAG_SEND_TRIM, wire.CMD_TRIM),
                          (wire.FLAG_SEND_WRITE_ZEROES, wire.CMD_WRITE_ZEROES)):
        if c.flags & flag:
            c.expect_ok(command, 0, 0 if command == wire.CMD_FLUSH else 4096, wire.CMD_FLAG_FUA)


@scenario("RQ-04", "FUA is accepted on BLOCK_STATUS")
def fua_on_block_status(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"], needs=wire.FLAG_SEND_FUA)
    c.expect_ok(wire.CMD_BLOCK_STATUS, 0, 4096, wire.CMD_FLAG_FUA)


@scenario("RQ-05", "a WRITE that fails has had its payload read")
def payload_of_failure(server: Server) -> None:
    c = server.enter()
    for offset, length, flags in ((c.size, SECTOR, 0), (c.size - SECTOR, MIB, 0),
                                  (0, 300 * 1024, 1 << 9), (1 << 63, 4096, 0)):
        header = wire.compact_request(wire.CMD_READ, 1, 0, SECTOR)
        payload = (header * (length // len(header) + 1))[:length]
        c.expect(wire.ERRORS, wire.CMD_WRITE, offset, flags=flags, payload=payload)
        c.expect_alive()


@scenario("RQ-05", "so has one to a read-only export")
def payload_on_read_only(server: Server) -> None:
    c = server.enter(server.export("read-only"))
    c.expect(wire.ERRORS, wire.CMD_WRITE, 0, payload=b"x" * 65536)
    c.expect_alive()


@scenario("RQ-06", "offset and length that overflow together are refused")
def overflow(server: Server) -> None:
    c = server.enter()
    commands = [wire.CMD_READ, wire.CMD_WRITE]
    commands += [wire.CMD_TRIM] if c.flags & wire.FLAG_SEND_TRIM else []
    commands += [wire.CMD_WRITE_ZEROES] if c.flags & wire.FLAG_SEND_WRITE_ZEROES else []
    for command in commands:
        for offset, length in HUGE:
            c.expect(wire.ERRORS, command, offset, length, payload=data_of(command, length))
    c.expect_alive()


@scenario("RQ-06", "so are those of BLOCK_STATUS")
def overflow_of_block_status(server: Server) -> None:
    c = server.enter(structured=True, contexts=["base:allocation"])
    for offset, length in HUGE:
        c.expect(wire.ERRORS, wire.CMD_BLOCK_STATUS, offset, length)
    c.expect_alive()


@scenario("RQ-12", "cookies come back as they were")
def cookies(server: Server) -> None:
    c = server.enter()
    for cookie in (0, 1, (1 << 64) - 1, 0x6744669800000000, 0x0A0D00FF1B5B3F7F):
        c.finish([c.begin(wire.CMD_READ, 0, SECTOR, cookie=cookie)])
        c.finish([c.begin(wire.CMD_WRITE, 0, payload=bytes(SECTOR), cookie=cookie)])


@scenario("RQ-12", "one cookie for several requests in flight crashes nobody")
def cookies_twice(server: Server) -> None:
    c = server.enter()
    c.finish([c.begin(wire.CMD_READ, SECTOR * n, SECTOR, cookie=5) for n in range(16)])
    c.expect_alive()


@scenario("RQ-12", "every chunk has the cookie of its request")
def cookies_of_chunks(server: Server) -> None:
    c = server.enter(structured=True)
    for cookie in (0, (1 << 64) - 1):
        c.finish([c.begin(wire.CMD_READ, 0, MIB, cookie=cookie)])
        c.finish([c.begin(wire.CMD_READ, c.size, SECTOR, cookie=cookie)])


def expect_all_mixed(server: Server, c: Client) -> None:
    """64 reads of mixed sizes in flight, each with its own bytes."""
    filler = server.enter()
    whole = pattern(4 * MIB, 13)
    filler.expect_ok(wire.CMD_WRITE, 0, payload=whole)
    lengths = (SECTOR, 4096, 65536, SECTOR, 262144, 2 * SECTOR, 131072, SECTOR)
    places = [(n * (61440 + SECTOR), lengths[n % len(lengths)]) for n in range(64)]
    replies = c.finish([c.begin(wire.CMD_READ, offset, length) for offset, length in places])
    for (offset, length), reply in zip(places, replies):
        if reply.error or bytes(reply.data) != whole[offset:offset + length]:
            raise Unmet(f"the bytes at {offset}+{length}", "others")


@scenario("RQ-13", "no message is interleaved with another")
def mixed_reads(server: Server) -> None:
    expect_all_mixed(server, server.enter())


@scenario("RQ-13", "no chunk is interleaved with another")
def mixed_chunks(server: Server) -> None:
    expect_all_mixed(server, server.enter(structured=True))


@scenario("RQ-16", "a client that reads no replies for a while gets each of them later")
def late_reader(server: Server) -> None:
    c = server.enter()
    sent = [c.begin(wire.CMD_READ, 0, MIB) for _ in range(64)]
    server.enter().expect_alive()
    if any(reply.error for reply in c.finish(sent)):
        raise Unmet("success of each READ", "an error")


@scenario("RQ-09", "a request off the minimum block gets EINVAL and changes nothing")
def misaligned(server: Server) -> None:
    c = server.enter()
    minimum = c.block_size.minimum if c.block_size else 1
    if minimum == 1:
        raise NotOffered("minimum-block", "the minimum block is 1")
    c.expect_ok(wire.CMD_WRITE, 0, payload=pattern(2 * minimum))
    half = minimum // 2
    for offset, length in ((half, minimum), (0, half)):
        c.expect(wire.EINVAL, wire.CMD_READ, offset, length)
        c.expect(wire.EINVAL, wire.CMD_WRITE, offset, payload=bytes(length))
        if c.flags & wire.FLAG_SEND_WRITE_ZEROES:
            c.expect(wire.EINVAL, wire.CMD_WRITE_ZEROES, offset, length)
    c.expect_data(0, pattern(2 * minimum))


@scenario("RQ-10", "a WRITE and a READ of 32 MiB work, or fail if the server allows less")
def largest_payload(server: Server) -> None:
    c = server.enter()
    length = wire.DEFAULT_MAX_PAYLOAD
    allowed = c.block_size is None or c.block_size.maximum >= length
    data = pattern(MIB, 3) * (length // MIB)
    c.expect(0 if allowed else wire.ERRORS, wire.CMD_WRITE, MIB, payload=data)
    if allowed:
        c.expect_data(MIB, data)
    c.expect_alive()


@scenario("RQ-10", "a WRITE of 33 MiB works, fails or ends the connection, and harms nobody else")
def payload_beyond(server: Server) -> None:
    c = server.enter()
    try:
        c.ask(wire.CMD_WRITE, 0, payload=bytes(33 * MIB))
        c.expect_alive()
    except Closed:
        pass
    server.enter().expect_alive()


@scenario("RQ-10", "a READ of 64 MiB works or fails, and does not end the connection")
def read_beyond(server: Server) -> None:
    c = server.enter()
    c.ask(wire.CMD_READ, 0, 64 * MIB)
    c.expect_alive()


@scenario("RQ-11", "TRIM and WRITE_ZEROES of the whole export do not end the connection")
def whole_export(server: Server) -> None:
    c = server.enter()
    for flag, command in ((wire.FLAG_SEND_TRIM, wire.CMD_TRIM),
                          (wire.FLAG_SEND_WRITE_ZEROES, wire.CMD_WRITE_ZEROES)):
        if c.flags & flag:
            c.expect_ok(command, 0, c.size)
            c.expect_alive()


@scenario("RQ-11", "nor do those of almost 4 GiB, nor CACHE")
def almost_4_gib(server: Server) -> None:
    c = server.enter(server.export("large"))
    for flag, command in ((wire.FLAG_SEND_TRIM, wire.CMD_TRIM), (0, wire.CMD_CACHE),
                          (wire.FLAG_SEND_WRITE_ZEROES, wire.CMD_WRITE_ZEROES)):
        if c.flags & flag == flag:
            errors = (0, wire.EINVAL, wire.EOVERFLOW)
            c.expect(errors, command, SECTOR, (1 << 32) - SECTOR)
            c.expect_alive()


@scenario("RQ-11", "nor does BLOCK_STATUS")
def status_of_almost_4_gib(server: Server) -> None:
    c = server.enter(server.export("large"), structured=True, contexts=["base:allocation"])
    c.expect_ok(wire.CMD_BLOCK_STATUS, SECTOR, (1 << 32) - SECTOR)
    c.expect_alive()
