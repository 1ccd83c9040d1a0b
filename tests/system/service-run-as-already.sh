#!/usr/bin/env bash
# Who is already the user that a server is to become needs no root, with a service manager that has seen
# to it; somebody else, or one who lacks a group, is told so.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/run_as.sh"
requires setpriv
workdir
open_to_all
chmod 777 .

truncate -s 1M vol.img
chown nobody vol.img
vol=$(volume vol "$(linear "$work/vol.img")")
as_nobody=(setpriv --reuid nobody --regid "$(id -gn nobody)" --clear-groups)
refused() { # TEXT RUN-AS
    local code=0
    write_exports "$vol" "\"run_as\": $2"
    "${as_nobody[@]}" "$INTERPOSED" config.json 2>said.txt || code=$?
    expect_eq "$code" 1 "exit status ($(<said.txt))"
    expect_in "$(<said.txt)" "$1"
}
refused "run_as: want root, or user \"daemon\" already, found uid $(id -u nobody)" '"daemon"'
refused "run_as: want to be in group 6, found that user \"nobody\", who started the server, is not" \
    '{"user": "nobody", "groups": ["6"]}'

write_exports "$vol" '"run_as": "nobody"'
: >server.log
"${as_nobody[@]}" "$INTERPOSED" config.json 2>server.log &
server=$!
at_exit kill_hard "$server"
eventually 30 is_ready || fail 'the server is not ready in time'
expect_eq "$(status_of vol size)" $((1 << 20)) 'size'
stop_server
