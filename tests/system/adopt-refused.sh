#!/usr/bin/env bash
# An export is not adopted while somebody else uses one of its disks: who it is is said, the other
# disks are not claimed either, the clients go on, and all is as before. Nor while another export
# has the disk, a table is loaded, or the claim is exclusive.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/claims.sh"
source "$tests/support/control.sh"
requires_python nbd
requires mkfs.ext4
requires_loop_devices
workdir

free=$(new_loop free 16M)
busy=$(new_loop busy 16M)
mkfs.ext4 -q "$busy"
mount_at "$busy" mnt
truncate -s 1M image
serve_exports "$(volume vol "$(linear "$free" 0 32768), $(linear "$busy")" '"claim": "shared"'),
    $(volume mine "$(linear "$work/image")")" '"state_dir": "state"'
start_load 4 "$(uri)" "$(uri)"
remember
expect_no_trace "want an exclusive claim, but it is held by a mount of ext4 on $work/mnt" \
    claim vol adopted
is_free "$free" || fail 'a claim was kept'
expect_no_trace 'found it exclusive' claim mine adopted
stop_load
umount mnt
volume beside "$(linear "$free")" '"claim": "shared", "read_only": true' >beside.json
ctl create beside.json
remember
expect_no_trace 'want one claim in all exports' claim vol adopted
ctl remove beside
table "$(linear "$free" 0 32768), $(linear "$busy")" >same.json
ctl load vol same.json
remember
expect_no_trace 'has a table loaded' claim vol adopted
ctl clear vol
ctl claim vol adopted
stop_server
