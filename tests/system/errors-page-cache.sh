#!/usr/bin/env bash
# A disk behind the page cache cannot be read any more: what is cached still can, by large requests
# and small ones; who runs into the rest gets EIO with the first byte that is missing. Afterwards
# all of it can be read again.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires nbdkit nbdfuse fusermount3
workdir

head -c 4M /dev/urandom >disk.img
faulty_file disk
loop_on disk/nbd >/dev/null
write_sandwich "$loop" '"cache": "buffered"'
start_server config.json
requests "$loop" <<'END'
neighbour, noise = enter("good"), os.urandom(M)
wanted = noise + open("disk.img", "rb").read()[M:] + bytes(M)
clients = [enter("bad", framing) for framing in FRAMINGS]
device = os.open(argv[0], os.O_RDONLY)
for client in clients:
    client.expect_ok(WRITE, M, payload=noise)   # so that this is in the cache, and nothing else
    client.expect_ok(FLUSH)
    os.posix_fadvise(device, M, 0, os.POSIX_FADV_DONTNEED)
    fail("disk", "reads")
    for other in clients:
        check_ok(other, noise, M)
        check_ok(other, bytes(M // 2) + noise[:M // 2], M // 2)
    check_failed(client, EIO, 1, 2 * M, READ, M, 2 * M)
    check_failed(client, EIO, 1, 2 * M, READ, 2 * M - 4 * K, 8 * K)
    check_failed(client, EIO, 1, 3 * M + 100 * K, READ, 3 * M + 100 * K, M)
    check_ok(client, noise, M)
    neighbour.expect_ok(READ, 0, M)
    mend("disk", "reads")
    check_ok(client, wanted, M)
END
stop_server
