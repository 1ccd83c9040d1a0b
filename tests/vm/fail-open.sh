#!/usr/bin/env bash
# With its server dead for good, a mounted volume goes back to its disks by itself: writers see no
# error, and nothing is lost. A restart in time is not a death, nor is a guard missed in silence; and
# a server that is started later leaves the volume alone until it is interposed again.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 96M

start_interposer
volume=$(make_volume vol "/dev/vdc 0 $(sectors /dev/vdc)")
live_table vol >before.txt
make_filesystem ext4 "$volume" mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
fail_open=(interpose --fail-open --fail-open-after 5 vol)
expect_ctl 0 'and a guard: if there is no server for 5 s' "${fail_open[@]}" --dry-run
expect_ctl 0 'leads it back to its disks if there is no server for 5 s' "${fail_open[@]}"
expect_ctl 0 guarded interposed
kill_server
start_server config.json
writers_go_on 20
is_over_nbd vol || fail 'a restart was taken for a death'
kill_hard "$(guard_of_vol)"
expect_ctl 1 'nobody would lead it back' interposed
expect_ctl 0 'it is interposed already' "${fail_open[@]}"
expect_ctl 0 guarded interposed vol
kill_server
expect_fallen_back
writers_go_on 50
expect_ctl 1 'FALLEN BACK to its disks at' interposed
start_server config.json
expect_in "$(<server.log)" 'volume "vol" does not lead to it any more, so it is forgotten'
expect_eq "$(of "len(r['attachments'])" attached)" 0
expect_ctl 1 'FALLEN BACK to its disks at' interposed vol
expect_ctl 0 'the fence is the claim' interpose vol
writers_go_on 20
expect_ctl 0 released release vol
stop_writers
umount mnt
expect_clean ext4 "$volume"
