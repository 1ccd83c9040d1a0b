#!/usr/bin/env bash
# interposectl attaches exports to the kernel and frees them: any free device or a certain one, with
# several connections, larger blocks or read-only, and refuses what cannot be. One that has grown is
# seen to have, and one that somebody else disconnects stays disconnected until it is asked for.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M --disk 64M

modprobe nbd
truncate -s 32M small.img
serve_exports "$(volume a "$(linear /dev/vdc)"), $(volume b "$(linear /dev/vdd)" '"read_only": true'),
    $(volume c "$(linear "$work/small.img")" '"attach": "/dev/nbd5"')"
expect_eq "$(blockdev --getsize64 /dev/nbd5)" $((32 << 20))
expect_ctl 0 'attached to /dev/nbd0, 67108864' attach a --connections 4 --block-size 4096
expect_ctl 1 'is attached already, to /dev/nbd0' attach a
expect_ctl 1 '/dev/nbd5 is the device of export "c"' attach b /dev/nbd5
expect_ctl 0 'attached to /dev/nbd1' attach b auto --identifier other
expect_eq "$(of 'sorted((x["export"], x["device"], x["connections"]) for x in r["attachments"])' attached)" \
    "[('a', '/dev/nbd0', 4), ('b', '/dev/nbd1', 1), ('c', '/dev/nbd5', 1)]"
expect_eq "$(blockdev --getss /dev/nbd0) $(blockdev --getro /dev/nbd1)" '4096 1'
expect_eq "$(queue /dev/nbd0 write_cache) $(queue /dev/nbd0 fua)" 'write back 1' 'FLUSH and FUA'
start_writer --direct /dev/nbd0
writers_go_on 100
stop_writers

truncate -s 48M small.img
ctl resize c
grown() { [[ $(blockdev --getsize64 /dev/nbd5) == $((48 << 20)) ]]; }
eventually 30 grown || fail 'the kernel has not heard that it has grown'
nbd-client -d /dev/nbd5 >/dev/null
left() { [[ $(of '[x["state"] for x in r["attachments"] if x["export"] == "c"]' attached) == *disc* ]]; }
eventually 30 left || fail 'it is not noticed that somebody has disconnected it'
expect_ctl 0 'attached to /dev/nbd5' attach c /dev/nbd5
for each in a b c; do expect_ctl 0 detached detach "$each"; done
stop_server
