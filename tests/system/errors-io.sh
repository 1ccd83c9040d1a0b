#!/usr/bin/env bash
# The device in the middle of a table fails for a while, under a file and under a disk with direct
# I/O: every request that touches it is told EIO, segment and first bad byte, and nobody else hears
# of it. What failed once works again afterwards.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires nbdkit nbdfuse fusermount3
workdir

truncate -s 4M file.img disk.img
faulty_file file
faulty_file disk
loop_on disk/nbd >/dev/null
for device in file/nbd "$loop"; do
    write_sandwich "$device"
    start_server config.json
    requests "$([[ $device == file/nbd ]] && echo file || echo disk)" <<'END'
neighbour, other = enter("good"), enter("bad")
for number, framing in enumerate(FRAMINGS, 1):
    client, data = enter("bad", framing), bytes([number])
    for command, what in (READ, "reads"), (WRITE, "writes"):
        fail(argv[0], what)
        for offset, length in ((M - 4 * K, 8 * K), (M, 512), (3 * M, 100 * K), (M - 512 * K, M),
                               (4 * M, 2 * M), (0, 6 * M), (5 * M - 4 * K, 8 * K)):
            check_failed(client, EIO, 1, max(M, offset), command, offset, length,
                         payload=data * length if command == WRITE else b"")
        many = [client.begin(command, 64 * K * at, 4 * K, payload=data * 4 * K * (command == WRITE))
                for at in range(96)]
        found = [reply.error for reply in client.finish(many)]
        assert found == [0] * 16 + [EIO] * 64 + [0] * 16, found
        neighbour.expect_ok(WRITE, payload=b"x" * M), neighbour.expect_data(0, b"x" * M)
        other.expect_ok(FLUSH)   # nothing is lost that was acknowledged
        mend(argv[0], what)
        client.expect_ok(WRITE, M - 256 * K, payload=data * M)
        check_ok(other, data * M, M - 256 * K)
END
    stop_server
done
