#!/usr/bin/env bash
# What nbdinfo and qemu-img map of a table of sparse files is the layout that they were given, to
# the byte: runs that meet at a border of segments are one, in the server's own answer as well.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo qemu-img
requires_python nbd
workdir

truncate -s 8M a.img b.img c.img
for at in a:0 a:3 a:4 a:7 b:2 c:0 c:1 c:6; do   # a MiB each
    head -c 1M /dev/urandom |
        dd of="${at%:*}.img" bs=1M seek="${at#*:}" conv=notrunc,fsync status=none
done
cat >config.json <<END
{"listen": ["unix://$PWD/nbd.sock"], "exports": [{"name": "", "table": [
  {"kind": "linear", "device": "a.img", "offset": "4MiB", "length": "4MiB"},
  {"kind": "linear", "device": "c.img", "offset": "0MiB", "length": "4MiB"},
  {"kind": "linear", "device": "b.img", "offset": "512KiB", "length": "7680KiB"},
  {"kind": "linear", "device": "a.img", "offset": "1536KiB", "length": "2048KiB"}]}]}
END
start_server config.json
uri="nbd+unix:///?socket=$PWD/nbd.sock"
# In KiB: 1024 data of a; its hole; data of a and c; holes of c and b; data of b; holes; data of a.
wanted="0 1024 0 1024 2048 3 3072 3072 0 6144 3584 3 9728 1024 0 10752 6656 3 17408 512 0"

in_kib() { awk '{ print $1 / 1024, $2 / 1024, $3 }' | xargs; }
expect_eq "$(nbdinfo --map "$uri" | in_kib)" "$wanted" "map of nbdinfo"
qemu-img map --output=json -f raw "$uri" | sed 's/true/0/g; s/false/3/g' | tr -d , >map.txt
expect_eq "$(awk '{ print $3, $5, $13 }' map.txt | in_kib)" "$wanted" "map of qemu-img"

/usr/bin/python3 - "$uri" "$wanted" <<'END'
import sys, nbd
client, found, wanted = nbd.NBD(), [], list(map(int, sys.argv[2].split()))
client.add_meta_context("base:allocation")
client.connect_uri(sys.argv[1])
client.block_status(client.get_size(), 0, lambda name, at, runs, error: found.extend(runs))
assert [n / 1024 for n in found[::2]] == wanted[1::3] and found[1::2] == wanted[2::3], found
END
stop_server
