#!/usr/bin/env bash
# interposectl is killed at its calls of device-mapper and of the server in turn, on the way in and on
# the way out: the volume is never left suspended or with a table that waits, its writer notices
# nothing, and the same command again finishes what was begun. Killed where something is about to be
# changed, or has just been; with CALLS=all at every call.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
on_host() { machine_options+=(--set "calls=${CALLS:-few}"); }
in_machine --disk 64M

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
make_filesystem ext4 "$volume" mnt
start_writer mnt/file
live_table vol >before.txt
calls_of interpose vol >in.txt
calls_of release vol >out.txt
for way in in out; do
    echo "$way: $(wc -l <$way.txt) calls"
    (($(wc -l <$way.txt) > 6)) || fail "hardly a call to kill at: $(<$way.txt)"
done
while IFS=: read -r -u 3 in out; do
    if [[ -n $in ]]; then kill_and_finish interpose $in; else ctl interpose vol >/dev/null; fi
    if [[ -n $out ]]; then kill_and_finish release $out; else ctl release vol >/dev/null; fi
done 3< <(paste -d : in.txt out.txt)
writers_go_on 20
stop_writers
