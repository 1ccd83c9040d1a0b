#!/usr/bin/env bash
# Requests beyond the end, with undefined flags, or of an unknown kind are refused by the right error
# and cost the connection nothing.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

truncate -s 1M a.img b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" <<'END'
import errno, sys, nbd
client = nbd.NBD()
client.set_strict_mode(0)
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
size = client.get_size()

def refused(wanted, act, *arguments):
    try:
        act(*arguments)
    except nbd.Error as error:
        assert error.errnum == wanted, f"{act.__name__}{arguments[1:]}: {error}"
    else:
        raise AssertionError(f"{act.__name__}{arguments[1:]} was not refused")
    assert client.pread(1, 0) == b"\0"   # the connection is in step

for offset in (size, size - 511, 2**63, 2**64 - 512):
    refused(errno.EINVAL, client.pread, 512, offset)
    refused(errno.ENOSPC, client.pwrite, b"x" * 512, offset)
    refused(errno.ENOSPC, client.zero, 512, offset)
    refused(errno.EINVAL, client.trim, 512, offset)
    refused(errno.EINVAL, client.block_status, 512, offset, lambda *_: 0)
refused(errno.EINVAL, client.pread, 512, 0, nbd.CMD_FLAG_NO_HOLE)
refused(errno.EINVAL, client.pwrite, b"x" * 512, 0, nbd.CMD_FLAG_DF)
refused(errno.EINVAL, client.trim, 512, 0, nbd.CMD_FLAG_FAST_ZERO)
assert client.pread(size - 1, 0) + client.pread(1, size - 1) == bytes(size), "something was written"
END
stop_server
