#!/usr/bin/env bash
# A mounted volume goes in and out of the server's path again and again, and the server is killed
# again and again while it is in, under two writers that verify: they notice nothing, and the
# filesystem is whole. SWAPS and KILLS say how often; bench/interposition shows what is printed.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
on_host() { machine_options+=(--set "swaps=${SWAPS:-4}" --set "kills=${KILLS:-2}"); }
in_machine --disk 192M --limit 3000

pauses() { /usr/bin/python3 -c 'import statistics, sys
all = [float(word) * 1000 for word in open(sys.argv[1])]
print(f"{len(all)} swaps: median {statistics.median(all):.0f} ms, worst {max(all):.0f} ms")' "$1"; }

start_interposer
volume=$(make_volume vol "/dev/vdc 0 $(sectors /dev/vdc)")
make_filesystem ext4 "$volume" mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
for ((i = 0; i < swaps; i += 2)); do
    of 'r["pause_s"]' interpose vol >>pauses.txt
    is_over_nbd vol || fail "not interposed: $(live_table vol)"
    writers_go_on 10
    of 'r["pause_s"]' release vol >>pauses.txt
    writers_go_on 10
done
pauses pauses.txt
stop_writers
ctl interpose vol >/dev/null
start_writer mnt/buffered
start_writer --direct mnt/direct
for ((i = 0; i < kills; i++)); do
    kill_server
    start_server config.json
    writers_go_on 10
done
stop_writers
expect_in "$(ctl interposed)" vol
ctl release vol >/dev/null
umount mnt
expect_clean ext4 "$volume"
