#!/usr/bin/env bash
# A flush that has failed stays failed, for every connection and also for FUA, although the device
# below has recovered: what it lost is not coming back. Only a restart begins anew.
source "$(dirname "$0")/../support/functions.sh"
requires nbdkit nbdfuse fusermount3
requires_python nbd
workdir

truncate --size 1M below.img
mkdir disk
nbdkit --foreground --exit-with-parent --unix "$PWD/below.sock" eval \
    get_size='echo 1M' can_write='exit 0' can_flush='exit 0' \
    pread="dd if='$PWD/below.img' skip=\$4 count=\$3 iflag=skip_bytes,count_bytes status=none" \
    pwrite="dd of='$PWD/below.img' seek=\$4 conv=notrunc oflag=seek_bytes status=none" \
    flush="[ ! -e '$PWD/broken' ] || { echo EIO lost >&2; exit 1; }" &
at_exit kill_hard "$!"
eventually 10 test -S below.sock || fail 'no device below'
nbdfuse disk "nbd+unix:///?socket=$PWD/below.sock" &
at_exit kill_hard "$!"
at_exit fusermount3 -u -z "$PWD/disk"
eventually 10 test -e disk/nbd || fail 'no file over it'

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
