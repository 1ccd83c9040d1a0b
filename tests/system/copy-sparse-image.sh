#!/usr/bin/env bash
# A sparse image stays sparse on its way in and out, and qemu sees its holes.
source "$(dirname "$0")/../support/functions.sh"
requires qemu-img nbdcopy
workdir

truncate -s 256M source.img a.img b.img
head -c 1M /dev/urandom | dd of=source.img conv=notrunc bs=1M seek=100 status=none
head -c 1M /dev/urandom | dd of=source.img conv=notrunc bs=64K seek=3000 status=none
truncate -s 128M a.img b.img
start_server --listen "unix://$PWD/nbd.sock" a.img b.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"

qemu-img convert -n -f raw -O raw source.img "$uri"
qemu-img compare -f raw -F raw source.img "$uri"
qemu-img map --output=json -f raw "$uri" >map.json
/usr/bin/python3 - map.json <<'END'
import json, sys
data = sum(run["length"] for run in json.load(open(sys.argv[1])) if run["data"])
assert 2 << 20 <= data <= 4 << 20, f"want some 2 MiB of data in the map, got {data}"
END
nbdcopy "$uri" copy.img
cmp source.img copy.img
stop_server

for image in a.img b.img copy.img; do
    (($(stat -c %b "$image") * 512 <= 4 << 20)) || fail "$image is not sparse any more"
done
