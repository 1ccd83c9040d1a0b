#!/usr/bin/env bash
# A device that is mounted is not freed, nor its export removed, unless it is said by force; and with
# a state_dir what was attached at run time is attached again after a kill, under writers.
source "$(dirname "$0")/../support/vm.sh"
in_machine --disk 64M

modprobe nbd
write_exports "$(volume a "$(linear /dev/vdc)")" "\"state_dir\": \"$work/state\""
start_server config.json
ctl attach a --connections 2 --timeout 3
make_filesystem ext4 /dev/nbd0 mnt
start_writer mnt/file
expect_ctl 1 'held by a mount of ext4' detach a
expect_ctl 1 'is attached to /dev/nbd0: detach it first' remove a --disconnect
writers_go_on 20
kill_server
start_server config.json
writers_go_on 20
expect_eq "$(of '[(x["state"], x["lease"]) for x in r["attachments"]]' attached)" "[('serving', True)]"
stop_writers
expect_ctl 0 detached detach a --force
umount mnt
expect_ctl 0 attached attach a
expect_clean_after_replay() { e2fsck -fp "$1" >fsck.log 2>&1 || (($? == 1)) || fail "$(<fsck.log)"; }
expect_clean_after_replay /dev/nbd0
ctl detach a
expect_ctl 0 removed remove a
stop_server
