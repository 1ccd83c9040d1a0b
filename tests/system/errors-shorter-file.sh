#!/usr/bin/env bash
# A file in the middle of a table becomes shorter while it is served, and longer again: what is gone
# gets EIO with the first byte that is gone, what is left is still read, in large requests from the
# page cache too, and nobody else notices. Only a large read that ends in the very page in which the
# file now ends may find its connection closed, behind the bytes that are left.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
workdir

for cache in buffered direct; do
    write_sandwich disk.img "\"claim\": \"shared\", \"cache\": \"$cache\""
    head -c 4M /dev/urandom >disk.img
    head -c 1M /dev/zero | tee a.img >c.img
    sync a.img disk.img c.img   # now there are no holes in them
    start_server config.json
    requests <<'END'
from client import Closed
image = open("disk.img", "rb").read()
neighbour, clients = enter("good"), [enter("bad", framing) for framing in FRAMINGS]
for client in clients:
    check_ok(client, image, M)   # now it is cached, if it ever is
    for left in 2 * M, M + 12 * K:
        os.truncate("disk.img", left)
        for offset, length in ((left, 4 * K), (left - 4 * K, 8 * K), (left - M, 3 * M),
                               (left + 64 * K, 64 * K), (3 * M, 2 * M), (left - 64 * K, 256 * K)):
            check_failed(client, EIO, 1, M + max(offset, left), READ, M + offset, length)
        check_ok(client, image[:left], M), check_ok(client, bytes(M), 5 * M)
    os.truncate("disk.img", left - 100)
    try:
        enter("bad").expect(EIO, READ, M + left - 64 * K, 64 * K)
    except Closed:
        pass
    neighbour.expect_ok(READ, 0, M)
    open("disk.img", "r+b").write(image)
    check_ok(client, image + bytes(M), M)
    client.expect_ok(WRITE, 2 * M, payload=image[M:2 * M])
END
    stop_server
done
