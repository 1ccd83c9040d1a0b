#!/usr/bin/env bash
# interposectl is killed at each of its calls of device-mapper and of the server in turn, on the way
# in: the volume is never left suspended or with a table that waits, its writer notices nothing, and
# the same command again finishes what was begun.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M --limit 600

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
make_filesystem ext4 "$volume" mnt
start_writer mnt/file
live_table vol >before.txt
killed_at_each_call interpose
writers_go_on 20
stop_writers
