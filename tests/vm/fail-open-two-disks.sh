#!/usr/bin/env bash
# A volume of three areas on two disks, whose fence is the lease, under the service that guards every
# volume there is: a guard that is killed has a successor at once; a release ends it; and when the
# server is dead every byte goes back to where it belongs.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 96M --disk 96M

start_interposer
volume=$(make_volume vol "/dev/vdd 2048 65536" "/dev/vdc 0 131072" "/dev/vdd 100352 65536")
make_volume other "/dev/vdd 0 2048" >/dev/null # so that device-mapper keeps its claim on the disk
live_table vol >before.txt
make_filesystem ext4 "$volume" mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
mkdir -p "${guards%/*}"
"$INTERPOSECTL" guard 2>"$guards.log" &
at_exit kill_hard $!
is_up() { [[ -s ${guards%/*}/lock ]]; }
eventually 30 is_up || fail "the service does not begin: $(<"$guards.log")"
expect_ctl 1 "another process guards all volumes already: pid $!" guard

expect_ctl 0 'the fence is the lease' interpose --fail-open --fail-open-after 2 vol
first=$(guard_of_vol)
kill_hard "$first"
is_another() { [[ $(guard_of_vol) != "$first" ]] && ctl interposed >/dev/null; }
eventually 30 is_another || fail "no other guard: $(ctl interposed)"
expect_ctl 0 released release vol
expect_eq "$(live_table vol)" "$(<before.txt)"
eventually 10 has_ended "$(guard_of_vol)" || fail 'a volume that is released has a guard'

ctl interpose --fail-open --fail-open-after 2 vol >/dev/null
writers_go_on 20
kill_server
expect_fallen_back
writers_go_on 50
expect_ctl 0 released release vol # there is no server, and none is needed
stop_writers
umount mnt
expect_clean ext4 "$volume"
