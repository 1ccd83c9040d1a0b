#!/usr/bin/env bash
# A table that somebody else loads over ours is told of, and released only when the server is out of
# the path; a volume that is gone is told of too. A killed server is waited for, and taken up again.
source "$(dirname "$0")/../support/vm.sh"
source "$tests/support/interposing.sh"
in_machine --disk 64M

start_interposer
volume=$(make_volume vol "/dev/vdc 0 131072")
start_writer --direct "$volume"
expect_ctl 0 'interposed, as' interpose "$volume"
expect_ctl 0 ours interposed vol
table=$(live_table vol)

# Still over our device, but not as it was left.
device=$(cut -d ' ' -f 4 <<<"$table")
printf '0 65536 linear %s 0\n65536 65536 linear %s 65536\n' "$device" "$device" | dmsetup load vol
expect_ctl 1 'somebody has loaded another one beside it' interposed
dmsetup resume vol
expect_ctl 1 "CHANGED by somebody else: 0 65536 linear $device 0; 65536 65536 linear $device" interposed
expect_ctl 1 'it still uses /dev/nbd0' release --force vol
expect_ctl 1 'its table was changed by somebody else' interpose vol
dmsetup load vol --table "$table"
dmsetup resume vol
expect_ctl 0 ours interposed
writers_go_on 20
expect_ctl 0 released release vol
writers_go_on 20
stop_writers
