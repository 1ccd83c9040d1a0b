#!/usr/bin/env bash
# Where data and zeroes meet within a sector, because files or their segments do, no part of that
# sector is called zeroes: clients that count in sectors, as qemu-img does, would lose the data.
source "$(dirname "$0")/../support/functions.sh"
requires qemu-img
requires_python nbd
workdir

truncate -s 1000 a.img
head -c 70000 /dev/urandom >b.img
truncate -s 300003 c.img
head -c 4096 /dev/urandom | dd of=c.img bs=4096 seek=10 conv=notrunc status=none
head -c 5 /dev/urandom >d.img
truncate -s 100 e.img
head -c 1000 /dev/urandom >f.img
cat ?.img >whole.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img c.img d.img e.img f.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"

qemu-img convert -f raw -O raw "$uri" copy.img
cmp --bytes="$(stat -c %s whole.img)" whole.img copy.img || fail "qemu-img has lost data"

/usr/bin/python3 - "$uri" <<'END'
import sys, nbd
client = nbd.NBD()
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
size, edges = client.get_size(), [0]

def extent(name, at, entries, error):
    for length in entries[::2]:
        edges.append(edges[-1] + length)

client.block_status(size, 0, extent)
assert edges[-1] == size and not any(edge % 512 for edge in edges[:-1]), edges
END
stop_server
