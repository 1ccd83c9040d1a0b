#!/usr/bin/env bash
# A disk loses a large write that was acknowledged: every FLUSH of every connection hears of it, and
# every FUA write, at the same moment or later, and also if some other program heard of it before.
# Only they do, and no other export.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires nbdkit nbdfuse fusermount3
workdir

truncate -s 4M disk.img
faulty_file disk
loop_on disk/nbd >/dev/null
write_sandwich "$loop" '"cache": "buffered"'
for told_first in flush somebody; do
    start_server config.json
    requests "$loop" "$told_first" <<'END'
neighbour, noise = enter("good"), os.urandom(M)
clients = [enter("bad", framing) for framing in FRAMINGS for _ in range(2)]
clients[0].expect_ok(WRITE, M, payload=noise, flags=FUA), clients[1].expect_ok(FLUSH)
fail("disk", "writes")
clients[0].expect_ok(WRITE, 3 * M, payload=noise)
if argv[1] == "somebody":
    os.system(f"sync {argv[0]} 2>/dev/null")
    mend("disk", "writes")
asked = [[client.begin(FLUSH) for _ in range(3)] for client in clients]
asked[1].append(clients[1].begin(WRITE, 4 * M, flags=FUA, payload=noise))
asked[4].append(clients[4].begin(WRITE, 2 * M, payload=noise))
found = [[reply.error for reply in client.finish(each)] for client, each in zip(clients, asked)]
assert found == [[EIO] * 3, [EIO] * 4] + [[EIO] * 3] * 2 + [[EIO] * 3 + [0], [EIO] * 3], found
for client in clients[2], clients[5]:   # the same connections go on
    check_failed(client, EIO, None, None, FLUSH)
    check_failed(client, EIO, 1, 4 * M, WRITE, 4 * M, flags=FUA, payload=noise)
    client.expect_ok(WRITE, 4 * M, payload=noise), check_ok(client, 2 * noise, 3 * M)
neighbour.expect_ok(WRITE, payload=noise, flags=FUA), neighbour.expect_ok(FLUSH)
END
    rm -f disk.no-writes && stop_server
done
