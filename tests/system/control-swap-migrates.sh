#!/usr/bin/env bash
# An export moves from a file to a loop device and back, six times, while clients do I/O: it is
# suspended, the bytes are copied, and the other device takes over. Each acknowledged write is found
# in the end, and the device that is left is free for others.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_python nbd
requires_loop_devices
workdir

truncate -s 24M file.img
device=$(new_loop disk.img 24M)
file=$work/file.img
table "$(linear "$file")" >file.json
table "$(linear "$device" 0 2048)" "$(linear "$device" 2048)" >device.json
serve_exports "$(volume vol "$(linear "$file")")" '"state_dir": "state"'
start_load 8 "$(uri)" "--simple $(uri)" "$(uri)"

free_is() { # OLD NEW
    case $1 in
        file) is_free_file "$file" && ! is_free "$device" ;;
        device) is_free "$device" && ! is_free_file "$file" ;;
    esac
}
from=file to=device
for _ in 1 2 3 4 5 6; do
    ctl suspend vol
    dd if="${!from}" of="${!to}" bs=1M iflag=direct oflag=direct conv=notrunc status=none
    ctl load vol "$to.json"
    ! free_is "$from" "$to" || fail "$from was given up before it was replaced"
    ctl resume vol
    free_is "$from" "$to" || fail "want $from free and $to claimed"
    read -r from to <<<"$to $from"
done
stop_load
cat part-{0,1,2}.img | cmp - "$file"
expect_eq "$(status_of vol generation)" 7
stop_server
