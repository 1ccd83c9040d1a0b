#!/usr/bin/env bash
# A shared disk of 4096-byte blocks: that is the minimum block, and what is not whole blocks is
# refused and changes nothing, for the rest of a block belongs to others. TRIM is rounded inward.
source "$(dirname "$0")/../support/functions.sh"
requires_python nbd
workdir

head -c 1M /dev/urandom >disk.img
loop_on disk.img --sector-size 4096
start_server --shared --listen "unix://$PWD/nbd.sock" "$loop"

/usr/bin/python3 - "nbd+unix:///?socket=$PWD/nbd.sock" disk.img <<'END'
import errno, sys, nbd
client = nbd.NBD()
client.set_strict_mode(0)   # of its own accord it would not send them
client.connect_uri(sys.argv[1])
assert client.get_block_size(nbd.SIZE_MINIMUM) == 4096
disk = lambda: open(sys.argv[2], "rb").read()
before = disk()

def refused(act, *arguments):
    try:
        act(*arguments)
        sys.exit(f"{act.__name__} of {arguments[1:]} was not refused")
    except nbd.Error as error:
        assert error.errnum == errno.EINVAL, f"{act.__name__}: {error}"
    assert disk() == before, f"{act.__name__} was refused, and has changed something"
for offset, length in ((0, 1), (0, 512), (512, 4096), (4095, 2), (777, 777), (4096, 4097)):
    refused(client.pread, length, offset)
    for flags in (0, nbd.CMD_FLAG_FUA):
        refused(client.pwrite, b"x" * length, offset, flags)
        refused(client.zero, length, offset, flags | nbd.CMD_FLAG_NO_HOLE)
    client.cache(length, offset)
for offset, length in ((1, 8190), (4095, 4097), (12289, 12288), (24575, 1), (28000, 30000)):
    client.trim(length, offset)
    first, last = -(-offset // 4096) * 4096, (offset + length) // 4096 * 4096
    before = before[:first] + bytes(max(last - first, 0)) + before[max(last, first):]
    assert disk() == before, f"a trim of {offset}+{length} did more than {first}..{last}, or less"
END
stop_server
