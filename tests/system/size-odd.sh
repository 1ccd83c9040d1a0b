#!/usr/bin/env bash
# Exports whose size is no multiple of 512, of one file or of several: every byte up to the last can
# be read, written, zeroed and trimmed, none behind it, and copies are as long as the export.
source "$(dirname "$0")/../support/functions.sh"
requires nbdinfo nbdcopy
requires_python nbd
workdir

head -c 200003 /dev/urandom >a.img
truncate -s 77777 b.img
head -c 1 /dev/urandom >c.img
head -c 131071 /dev/urandom >d.img
size=$((200003 + 77777 + 1 + 131071))
start_server --listen "unix://$PWD/nbd.sock" a.img b.img c.img d.img
uri="nbd+unix:///?socket=$PWD/nbd.sock"
expect_eq "$(nbdinfo --size "$uri")" "$size" size
nbdinfo --map "$uri" >map.txt
expect_eq "$(awk '{ sum += $2 } END { print sum }' map.txt)" "$size" "bytes in the map"

nbdcopy "$uri" copy.img
cat a.img b.img c.img d.img | cmp - copy.img
/usr/bin/python3 "$tests/support/odd_requests.py" "$uri" 1 model.img \
    200003 277780 "$((size - 131071))" "$size"
cat a.img b.img c.img d.img | cmp - model.img
nbdcopy copy.img "$uri"
cat a.img b.img c.img d.img | cmp - copy.img
stop_server

code=0
timeout 100 "$INTERPOSED" --cache direct --listen "unix://$PWD/nbd.sock" c.img 2>said || code=$?
expect_eq "$code" 1 "exit status ($(<said))"
expect_in "$(<said)" 'for direct I/O, found 1 ("cache": "buffered" takes any size)'
