#!/usr/bin/env bash
# A mounted volume of three areas on two disks is interposed and released, twice, while writers that
# verify write to it: they notice nothing, and the filesystem is whole on the volume and the disks.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 96M --disk 96M

start_interposer
volume=$(make_volume vol "/dev/vdd 2048 65536" "/dev/vdc 0 131072" "/dev/vdd 100352 65536")
live_table vol >before.txt
make_filesystem ext4 "$volume" mnt
start_writer mnt/buffered
start_writer --direct mnt/direct
for ((i = 0; i < 2; i++)); do
    writers_go_on 50
    expect_ctl 0 'interposed, as export interposed-vol' interpose vol
    is_over_nbd vol || fail "not interposed: $(live_table vol)"
    expect_ctl 0 claim interposed
    writers_go_on 50
    expect_ctl 0 'released; I/O was held for' release "$work/mnt"
    expect_eq "$(live_table vol)" "$(<before.txt)"
done
writers_go_on 50
stop_writers
expect_eq "$(of "len(r['attachments'])" attached)" 0
umount mnt
expect_clean ext4 "$volume"
