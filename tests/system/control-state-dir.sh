#!/usr/bin/env bash
# What was changed at run time is there after a restart, also after kill -9: origins, limits, tables
# that were loaded, and what was removed stays away. It is a file for each export.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 8M a.img b.img c.img
serve_exports "$(volume vol "$(linear "$work/a.img")"), $(volume gone "$(linear "$work/b.img")")" \
    '"state_dir": "state"'
volume new "$(linear b.img 0 2048)" '"description": "née à midi"' >new.json
ctl remove gone
ctl create new.json
ctl qos vol --iops 7
ctl load vol <(table "$(linear "$work/a.img" 0 8192)" "$(linear "$work/b.img" 8192)")
summary() {
    of 'sorted((e["name"], e["origin"], e["changed"], e["recorded"], e["size"], e["qos"]["iops"],
        e["description"], e["inactive"] and e["inactive"]["size"]) for e in r["exports"])' status
}
summary >before
for how in stop_server kill_server; do
    $how
    start_server config.json
    diff before <(summary) || fail "not the same after $how"
done
expect_eq "$(find state -name '*.json' | wc -l)" 3
stop_server
