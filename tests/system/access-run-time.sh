#!/usr/bin/env bash
# An export that is made at run time has the rules it was given, also after a restart; rules that are
# wrong are refused with their places.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
source "$tests/support/control.sh"
workdir

open_folder
mkdir state
echo "{\"listen\": [$open_socket], \"control\": \"$work/control.sock\", \"state_dir\": \"state\",
       \"exports\": [$(export_for vol)]}" >config.json
start_server config.json
export_for new '{"user": "backup"}, {"group": "games", "access": "read_only"}' >new.json
ctl create new.json
check() {
    expect_eq "$(may_as backup nogroup '' new)" read-write
    expect_eq "$(may_as nobody games '' new)" read-only
    expect_eq "$(may_as root root '' new)" nothing
    expect_eq "$(may_as root root '')" read-write
    expect_in "$(ctl status new)" 'clients: user backup, read-write; group games, read-only'
}
check
cat >wrong.json <<END
{"name": "wrong", "table": [{"kind": "linear", "device": "wrong.img"}],
 "allow": [{"user": "backup"},
           {"user": "no-such-user", "group": 6}, {"group": "no-such-group"}]}
END
truncate -s 1M wrong.img
expect_ctl 1 'wrong.json:3:21: allow[1].user: want a user that this system knows, got "no-such-user"' \
    create wrong.json
expect_ctl 1 'wrong.json:3:60: allow[2].group: want a group' create wrong.json
expect_eq "$(names)" 'new vol'
kill_server
start_server config.json
check
stop_server
