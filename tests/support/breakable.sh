# shellcheck shell=bash
# What the tests of failing flushes share, on top of functions.sh.
requires nbdkit nbdfuse fusermount3

# Makes disk/nbd, a file of 1 MiB whose flushes fail while the file "broken" exists.
breakable_file() {
    truncate --size 1M below.img
    mkdir disk
    nbdkit --foreground --exit-with-parent --unix "$PWD/below.sock" eval \
        get_size='echo 1M' can_write='exit 0' can_flush='exit 0' \
        pread="dd if='$PWD/below.img' skip=\$4 count=\$3 iflag=skip_bytes,count_bytes status=none" \
        pwrite="dd of='$PWD/below.img' seek=\$4 conv=notrunc oflag=seek_bytes status=none" \
        flush="[ ! -e '$PWD/broken' ] || { echo EIO lost >&2; exit 1; }" &
    at_exit kill_hard "$!"
    eventually 30 test -S below.sock || fail 'no device below'
    nbdfuse disk "nbd+unix:///?socket=$PWD/below.sock" &
    at_exit kill_hard "$!"
    at_exit fusermount3 -u -z "$PWD/disk"
    eventually 30 test -e disk/nbd || fail 'no file over it'
}

# Writes to the second MiB of the export "vol" and flushes: prints "ok", or the error.
write_and_flush() {
    /usr/bin/python3 -c 'import sys, nbd
client = nbd.NBD()
client.connect_uri(sys.argv[1])
client.pwrite(b"x" * 512, 1 << 20)
try: print(client.flush() or "ok")
except nbd.Error as error: print(error.errno)' "$(uri)"
}
