#!/usr/bin/env bash
# While it runs, a server that is somebody else opens what that user may open, records it, and serves
# it again when it is started anew; what he may not is refused with his name and the path, and nothing
# changes.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/run_as.sh"
workdir
open_to_all

truncate -s 4M vol.img disk.img other.img theirs.img secret.img
chown nobody theirs.img
chmod 600 vol.img secret.img
disk_node disk disk "$(loop_on disk.img)"
disk_node other root "$(loop_on other.img)"
vol=$(volume vol "$(linear "$work/vol.img")")
keys="\"run_as\": {\"user\": \"nobody\", \"groups\": [\"disk\"]}, \"state_dir\": \"$work/state\""
serve_exports "$vol" "$keys"
denied() { echo "device \"$work/$1\": want read-write access, found \"Permission denied\" for user \"nobody\""; }
for name in disk theirs.img; do
    volume "$name" "$(linear "$work/$name")" >one.json
    expect_ctl 0 '' create one.json
done
expect_eq "$(names)" 'disk theirs.img vol'
for name in other secret.img; do
    volume "$name" "$(linear "$work/$name")" >one.json
    expect_ctl 1 "$(denied "$name")" create one.json
done
table "$(linear "$work/secret.img")" >table.json
expect_ctl 1 "$(denied secret.img)" load vol table.json
expect_eq "$(names)" 'disk theirs.img vol'
stop_server
start_server config.json
expect_eq "$(names)" 'disk theirs.img vol'
stop_server
