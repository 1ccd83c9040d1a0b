#!/usr/bin/env bash
# A file that is larger than the space on its filesystem: whoever writes more than fits is told
# ENOSPC, and at which byte; what was written stays, also the part before that byte; TRIM makes room
# again; and no FLUSH fails for it, since nothing was lost.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/faults.sh"
requires mkfs.ext4
workdir

for kind in tmpfs ext4; do
    serve_tiny_filesystem "$kind"
    requests "$kind" <<'END'
noise, place = os.urandom(16 * M), 2 * M
one, two, simple = enter(), enter(framing="extended"), enter(framing="simple")
one.expect_ok(WRITE, M - 512 * K, payload=noise[:M])   # to the end of the first file and on
for client, flags in (one, 0), (two, FUA), (one, FUA), (two, 0):
    found = os.statvfs(argv[0])
    free = found.f_bfree * found.f_frsize
    reply = client.expect(ENOSPC, WRITE, place, flags=flags, payload=noise)
    number, text, at = reply.chunks[-1].error()
    assert text.startswith(b"segment 1: "), text
    assert place + 3 * M < at <= place + free, (place, at, free)   # there is more than data
    assert argv[0] != "tmpfs" or at == place + free, (place, at, free)
    check_ok(simple, noise[:at - place], place)
    simple.expect(ENOSPC, ZEROES, 50 * M, 12 * M, 2)   # NO_HOLE
    one.expect_ok(WRITE, place, payload=noise[M:2 * M])   # has its space already
    check_ok(two, noise[M:2 * M], place), check_ok(simple, noise[:M], M - 512 * K)
    two.expect_ok(FLUSH), one.expect_ok(TRIM, place, 63 * M), one.expect_ok(FLUSH)
END
    stop_server
done
