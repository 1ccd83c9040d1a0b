#!/usr/bin/env bash
# Two connections write at the same time, large requests and small ones, more than there is space
# for: each write succeeds and can be read back, or gets ENOSPC. With room made by TRIM it goes on.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires mkfs.ext4
workdir

for kind in tmpfs ext4; do
    serve_tiny_filesystem "$kind"
    requests <<'END'
noise = os.urandom(16 * M)
for size, framing, flags in ((64 * K, "structured", 0), (M, "extended", 0), (4 * K, "simple", 0),
                             (512 * K, "structured", FUA), (M, "simple", 0)):
    clients = enter(framing=framing), enter(framing="simple")
    wanted = [{8 * M + at: noise[at // 2:at // 2 + size]
               for at in range(half * size, 16 * M, 2 * size)} for half in range(2)]
    asked = [(client, [client.begin(WRITE, at, flags=flags, payload=data)
                       for at, data in half.items()]) for client, half in zip(clients, wanted)]
    replies = [reply for client, sent in asked for reply in client.finish(sent)]
    written = {reply.request.offset for reply in replies if not reply.error}
    assert {reply.error for reply in replies} == {0, ENOSPC}, size
    assert 2 * M < len(written) * size <= 8 * M, (size, len(written))
    for half in wanted:
        for at in written.intersection(half):
            check_ok(clients[0], half[at], at)
    for client in clients:
        client.expect_ok(FLUSH)
    clients[0].expect_ok(TRIM, 0, 65 * M), clients[0].expect_ok(FLUSH)
END
    stop_server
done
