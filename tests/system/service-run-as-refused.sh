#!/usr/bin/env bash
# Whom a server is to become, and whether it can, is known before it serves: a user or group there is
# not, root, and somebody else's state_dir are said by name.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/run_as.sh"
workdir
open_to_all

truncate -s 1M vol.img
vol=$(volume vol "$(linear "$work/vol.img")")
refused() { # TEXT RUN-AS [KEYS]
    local code=0
    write_exports "$vol" "\"run_as\": $2${3:+, $3}"
    "$INTERPOSED" config.json 2>said.txt || code=$?
    expect_eq "$code" 1 "exit status ($(<said.txt))"
    expect_in "$(<said.txt)" "$1"
    ! grep -qx ready said.txt || fail 'it was ready'
}
refused 'run_as: want a user, found "no-such-user", which there is not' '"no-such-user"'
refused 'run_as: want a group, found "no-such-group", which there is not' \
    '{"user": "nobody", "groups": ["no-such-group"]}'
refused 'run_as: want a user who is not root, found "0"' '"0"'
refused 'run_as: user "4000000000" is not known to the system: want a "group"' '"4000000000"'
mkdir state
refused 'want it to belong to user 65534, whom "run_as" names, found it to belong to user 0' \
    '"nobody"' "\"state_dir\": \"$work/state\""
