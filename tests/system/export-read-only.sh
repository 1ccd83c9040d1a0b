#!/usr/bin/env bash
# A read-only export says so, refuses every change with EPERM, and opens its device read-only.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo
requires_python nbd
workdir

head -c 1M /dev/urandom >a.img
cp a.img before.img
start_server --read-only --listen "unix://$PWD/nbd.sock" a.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"
nbdinfo --is read-only "$uri"
for ability in trim zero; do ! nbdinfo --can "$ability" "$uri" || fail "$ability is offered"; done

/usr/bin/python3 - "$uri" <<'END'
import errno, sys, nbd
client = nbd.NBD()
client.set_strict_mode(0)
client.connect_uri(sys.argv[1])
for act, first in ((client.pwrite, b"x" * 512), (client.zero, 512), (client.trim, 512)):
    try:
        act(first, 0)
        raise AssertionError(f"{act.__name__} was not refused")
    except nbd.Error as error:
        assert error.errnum == errno.EPERM, f"{act.__name__}: {error}"
client.flush()
client.pread(512, 0)
END
for descriptor in /proc/"$server"/fd/*; do
    [[ $(readlink "$descriptor") != */a.img ]] || fd=${descriptor##*/}
done
flags=$(sed -n 's/^flags:\s*//p' "/proc/$server/fdinfo/$fd")
expect_eq $((flags & 3)) 0 "the access mode of the descriptor"
stop_server
cmp a.img before.img
