#!/usr/bin/env bash
# A flush that has failed stays failed, for every connection and also for FUA, although the device
# below has recovered: what it lost is not coming back. Only a restart begins anew.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/breakable.sh"
requires_python nbd
workdir

breakable_file

flushes() { # WANTED-OF-FLUSH [WANTED-OF-FUA]
    /usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" "$@" <<'END'
import sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
for wanted, call in zip(sys.argv[2:], (client.flush, lambda: client.pwrite(b"x" * 512, 0, 1))):
    try: found = call() or "ok"
    except nbd.Error as error: found = error.errno
    assert found == wanted, (wanted, found)
END
}
for ring in '' --no-io-uring; do
    start_server ${ring:+"$ring"} --listen "unix://$PWD/nbd.sock" disk/nbd
    flushes ok ok
    touch broken && flushes EIO && rm broken
    flushes EIO EIO
    stop_server
done
