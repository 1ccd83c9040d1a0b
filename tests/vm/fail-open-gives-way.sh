#!/usr/bin/env bash
# For as long as the table cannot be swapped back, the guard itself serves the volume, which goes on.
# If a server comes after all, and claims the disks, the guard gives way to it.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
make_filesystem ext4 "$volume" mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
expect_ctl 0 'the fence is the claim' interpose --fail-open --fail-open-after 2 vol
live_table vol >interposed.txt

dmsetup load vol --table "$(<interposed.txt)" # nobody swaps over what somebody else has loaded
kill_server
eventually 60 is_standing_in || fail "it does not stand in: $(<"$guards.log")"
writers_go_on 50
fstrim mnt
expect_ctl 1 'its guard is leading it back' interposed
expect_ctl 1 'its guard leads it back to its disks' release vol
start_server config.json
dmsetup clear vol
eventually 60 grep -q 'goes on' "$guards.log" || fail "it does not give way: $(<"$guards.log")"
serves() { ctl interposed >listed.txt; }
eventually 60 serves || fail "the server does not go on: $(<listed.txt)"
writers_go_on 50
expect_eq "$(live_table vol)" "$(<interposed.txt)"
expect_ctl 0 released release vol
writers_go_on 20
stop_writers
umount mnt
expect_clean ext4 "$volume"
