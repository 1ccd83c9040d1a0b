#!/usr/bin/env bash
# The server's stderr is a file on a filesystem that is frozen: requests that fail, each with a
# line, are answered all the same, and the lines are there after the thaw.
source "$(dirname "$0")/../support/functions.sh"
requires fsfreeze mkfs.ext4
requires_python nbd
requires_loop_devices
workdir

truncate -s 1M a.img short.img
truncate -s 64M fs.img
loop_on fs.img >/dev/null
mkfs.ext4 -q "$loop"
mkdir logs
mount "$loop" logs
ln -s logs/server.log server.log
start_server --listen "unix://$PWD/nbd.sock" a.img short.img
truncate -s 0 short.img   # behind the server's back

fsfreeze --freeze logs
timeout 200 /usr/bin/python3 "$tests/support/failing_reads.py" \
    "nbd+unix:///?socket=$PWD/nbd.sock" "$((1 << 20))" 100 || fail 'a client was not served'
expect_eq "$(grep -c 'Input/output error$' server.log)" 0 'lines in a file that is frozen'
fsfreeze --unfreeze logs
all_there() { (($(grep -c 'Input/output error$' server.log) == 100)); }
eventually 30 all_there || fail 'want all lines after the thaw'
stop_server
umount logs
